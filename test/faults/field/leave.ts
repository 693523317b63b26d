import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { signToken } from '../../../src/subscriber/token.ts'
import { freePort } from '../../setup/free-port.ts'
import { testKeys } from '../../setup/newsletter.ts'
import type { Field, Reader } from './field.ts'

const program = new URL('../../../src/cli.ts', import.meta.url).pathname

/** The web side of a field, in a process of its own. */
export type Web = { readonly url: string; end(): Promise<void> }

/**
 * These readers unsubscribe one after another, over HTTP, until they are all gone or the send is over. Returns who left,
 * with the instant at which the answer was there. `pause` is in milliseconds, between two of them.
 */
export async function leaveOverHttp(
  web: Web | undefined,
  readers: readonly Reader[],
  isOver: () => boolean,
  pause = 0,
): Promise<ReadonlyMap<string, Temporal.Instant>> {
  const gone = new Map<string, Temporal.Instant>()
  for (const reader of readers) {
    if (!web || isOver()) break
    await leave(web.url, reader)
    gone.set(reader.address, Temporal.Now.instant())
    if (pause > 0) await wait(pause)
  }
  return gone
}

async function leave(url: string, { publicId }: Reader): Promise<void> {
  const [key] = testKeys
  if (!key) throw new Error('There is no key')
  const answer = await fetch(`${url}/unsubscribe/${signToken(key, 'unsubscribe', publicId)}`, {
    method: 'POST',
    body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
  })
  await answer.arrayBuffer()
  if (!answer.ok) throw new Error(`Unsubscribing was answered with ${answer.status}`)
}

/** Starts `verdict web` and waits until it answers. */
export async function startWeb(field: Field): Promise<Web> {
  const port = await freePort()
  const web = spawn(process.execPath, [program, 'web'], {
    env: { ...field.environment, PORT: String(port) },
    stdio: 'ignore',
  })
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 1_200; tries += 1) {
    const isUp = await fetch(`${url}/healthz`)
      .then((answer) => answer.ok)
      .catch(() => false)
    if (isUp) return { url, end: () => endProcess(web) }
    await wait(50)
  }
  await endProcess(web)
  throw new Error('The web side did not come up')
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
