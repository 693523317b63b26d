import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { DataFolderLocked, lockDataFolder } from '../../db/lock.ts'

const lockFile = new URL('../../db/lock.ts', import.meta.url).href
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('the lock on a data folder', () => {
  it('is held by one process, and whoever comes second is told which', async () => {
    const holder = await holdInAnotherProcess()

    expect(() => lockDataFolder(folder)).toThrow(DataFolderLocked)
    expect(() => lockDataFolder(folder)).toThrow(`in use by process ${holder.pid}`)
  })

  it('is held against the same process as well', () => {
    const unlock = lockDataFolder(folder)
    onTestFinished(unlock)

    expect(() => lockDataFolder(folder)).toThrow(`in use by process ${process.pid}`)
  })

  it('is kept while its process lives, even where nobody holds on to how to give it back', async () => {
    await holdInAnotherProcess('for (let n = 0; n < 5; n += 1) gc()')

    expect(() => lockDataFolder(folder)).toThrow(DataFolderLocked)
  })

  it('can be given back and taken again', () => {
    for (let times = 0; times < 3; times += 1) lockDataFolder(folder)()

    const unlock = lockDataFolder(folder)
    onTestFinished(unlock)

    expect(() => lockDataFolder(folder)).toThrow(DataFolderLocked)
  })

  it('falls with its process, however that ended', async () => {
    const holder = await holdInAnotherProcess()
    holder.kill('SIGKILL')
    await once(holder, 'exit')

    const unlock = lockDataFolder(folder)
    onTestFinished(unlock)

    expect(() => lockDataFolder(folder)).toThrow(`in use by process ${process.pid}`)
  })

  it('does not mistake a left-over note for a holder', async () => {
    await writeFile(join(folder, 'lock.pid'), `${process.pid}\n`)

    const unlock = lockDataFolder(folder)
    onTestFinished(unlock)

    expect(unlock).toBeTypeOf('function')
  })

  it('makes the folder where there is none', () => {
    const unlock = lockDataFolder(join(folder, 'deep', 'down'))
    onTestFinished(unlock)

    expect(() => lockDataFolder(join(folder, 'deep', 'down'))).toThrow(DataFolderLocked)
  })

  it('is one folder’s: another is free', async () => {
    await holdInAnotherProcess()

    const unlock = lockDataFolder(join(folder, 'another'))
    onTestFinished(unlock)

    expect(unlock).toBeTypeOf('function')
  })
})

/** `then` runs in that process once it has the lock. */
async function holdInAnotherProcess(then = ''): Promise<ChildProcess> {
  const script = `
    const { lockDataFolder } = await import(${JSON.stringify(lockFile)})
    lockDataFolder(${JSON.stringify(folder)})
    await new Promise((turn) => setImmediate(turn))
    ${then}
    console.log('held')
    setInterval(() => {}, 60_000)`
  const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  return holder
}
