import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Connection } from '../../db/connect.ts'

/** What this machine last saw of a ledger: which one, and how far it had come. */
export type Mark = { readonly installation: string; readonly attempt: number }

/** A machine's own memory of the ledgers that it sent with, outside every database. */
export type LedgerMark = {
  /** The embedded database and its mark live in one folder; others may be reached from anywhere. */
  readonly isEmbedded: boolean
  readonly file: string
  /** Of the database at this address, then of those at other addresses. Undefined when the file is not one of ours. */
  read(): { readonly here: Mark | undefined; readonly elsewhere: readonly Mark[] } | undefined
  /** On the disk when it returns. Throws what the file system says. */
  write(mark: Mark, at: Temporal.Instant): void
  /** When this process last tried to write. */
  readonly triedAt: Temporal.Instant | undefined
}

/** Keeps `ledger-mark.json` in the data folder, one mark for each address at which a database was reached. */
export function openLedgerMark(dataDir: string, driver: Connection['driver']): LedgerMark {
  const file = join(dataDir, 'ledger-mark.json')
  const address = addressOf(driver)
  let triedAt: Temporal.Instant | undefined
  return {
    get triedAt() {
      return triedAt
    },
    isEmbedded: driver.kind === 'embedded',
    file,
    read() {
      const marks = readMarks(file)
      if (!marks) return undefined
      const { [address]: here, ...others } = marks
      return { here, elsewhere: Object.values(others) }
    },
    write(mark, at) {
      triedAt = at
      mkdirSync(dataDir, { recursive: true })
      const marks = readMarks(file) ?? {}
      replaceFile(file, JSON.stringify({ ...marks, [address]: further(mark, marks[address]) }, null, 2))
    },
  }
}

/** Another process of this machine may have seen more in the meantime. */
function further(mark: Mark, before: Mark | undefined): Mark {
  return before?.installation === mark.installation && before.attempt > mark.attempt ? before : mark
}

const marksFile = z.record(z.string(), z.object({ installation: z.uuid(), attempt: z.number().int() }))

/** None where there is no file yet. */
function readMarks(file: string): Record<string, Mark> | undefined {
  const text = readIfThere(file)
  if (text === undefined) return {}
  try {
    return marksFile.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** In one step, and on the disk before it counts: a machine that loses power has the old mark or the new one. */
function replaceFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}`
  const open = openSync(draft, 'w', 0o600)
  try {
    writeSync(open, `${text}\n`)
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
  renameSync(draft, file)
  const folder = openSync(join(file, '..'), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

/** Host, port and name: no user, no password. */
function addressOf(driver: Connection['driver']): string {
  if (driver.kind === 'embedded') return 'embedded'
  const { hostname, port, pathname, searchParams } = new URL(driver.url)
  return `${searchParams.get('host') ?? hostname}:${port || '5432'}${pathname}`
}
