import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { sql } from 'kysely'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { type Connection, openDatabase } from '../../db/connect.ts'
import { openTestDatabase } from './database.ts'
import { copyEmbeddedInto } from './own-database.ts'

/** What a run of the command line came to. `json` is stdout where that is one JSON document, else undefined. */
export type Run = {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly json: unknown
}

export type CommandLine = {
  /** A temporary folder; the data folder is `data` in it. */
  readonly folder: string
  readonly dataDir: string
  /** What its processes see as their environment, and nothing else. */
  readonly environment: Readonly<Record<string, string>>
  /** Runs `verdict …` to its end. */
  run(args: readonly string[], how?: How): Promise<Run>
  /** Starts `verdict …`; it is killed when the test is over. */
  start(args: readonly string[], how?: How): ChildProcess
  /** Writes a file into the folder and returns its path. */
  file(name: string, content: string): Promise<string>
  /** Opens the database between two runs, and closes it again. */
  withDatabase<T>(use: (connection: Connection) => Promise<T>): Promise<T>
}

type How = { readonly env?: Record<string, string>; readonly input?: string }

// A process this short does not live to see the embedded database optimised, and would pay a third of its time for it.
const program = ['--liftoff-only', new URL('../../src/cli.ts', import.meta.url).pathname]

/**
 * Gives a test file the real command line in a folder of its own: on a PostgreSQL database where there is one, else embedded.
 * The database is migrated and empty, or where it `isNew` not even that.
 */
export function useCommandLine({ embedded = false, isNew = false } = {}): CommandLine {
  let folder = ''
  let database: Awaited<ReturnType<typeof openTestDatabase>> | undefined
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verdict-'))
    if (embedded || !process.env.TEST_DATABASE_URL) {
      if (!isNew) await copyEmbeddedInto(join(folder, 'data'))
      return
    }
    database = await openTestDatabase()
    if (!isNew) return
    await sql`drop schema public cascade`.execute(database.connection.db)
    await sql`create schema public`.execute(database.connection.db)
  })
  afterAll(async () => {
    await database?.close()
    await rm(folder, { recursive: true, force: true })
  })
  const environment = () => ({
    PATH: process.env.PATH ?? '',
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(folder, 'compiled'),
    DATA_DIR: join(folder, 'data'),
    ...(database?.url && { DATABASE_URL: database.url }),
  })
  function start(args: readonly string[], { env = {}, input }: How = {}): ChildProcess {
    const child = spawn(process.execPath, [...program, ...args], {
      cwd: folder,
      env: { ...environment(), ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    child.stdin?.end(input)
    return child
  }
  return {
    get folder() {
      return folder
    },
    get dataDir() {
      return join(folder, 'data')
    },
    get environment() {
      return environment()
    },
    start(args, how) {
      const child = start(args, how)
      onTestFinished(() => void child.kill('SIGKILL'))
      return child
    },
    async run(args, how) {
      return await ended(start(args, how))
    },
    async file(name, content) {
      await writeFile(join(folder, name), content)
      return join(folder, name)
    },
    async withDatabase(use) {
      const connection = await openDatabase({ url: database?.url, dataDir: join(folder, 'data') })
      try {
        return await use(connection)
      } finally {
        await connection.close()
      }
    },
  }
}

/** Waits for a process and everything it says. */
export async function ended(child: ChildProcess): Promise<Run> {
  if (!child.stdout || !child.stderr) throw new Error('Nobody listens to this process')
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined,
  ])
  return { code: child.exitCode, stdout, stderr, json: parsed(stdout) }
}

function parsed(stdout: string): unknown {
  try {
    return JSON.parse(stdout)
  } catch {
    return undefined
  }
}
