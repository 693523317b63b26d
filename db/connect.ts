import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite, types as pgliteTypes } from '@electric-sql/pglite'
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely'
import { Pool, types as pgTypes } from 'pg'
import { lockDataFolder } from './lock.ts'
import { PreparingClient } from './prepare.ts'
import type { Database } from './schema.ts'
import { TemporalPlugin } from './temporal.ts'

/** An open database: the query layer, the driver beneath it (for the queue), and how to close both. */
export type Connection = {
  readonly db: Kysely<Database>
  readonly driver:
    | { readonly kind: 'embedded'; readonly pglite: PGlite }
    | { readonly kind: 'postgres'; readonly url: string }
  close(): Promise<void>
}

/** PostgreSQL by URL, or without one the embedded database under `dataDir`, held by this process alone. */
export async function openDatabase(at: { url: string | undefined; dataDir: string }): Promise<Connection> {
  return at.url ? openPostgres(at.url) : await openEmbedded(at.dataDir)
}

/**
 * A machine that is cut off in the middle of a transaction must not keep its locks until TCP gives up, which takes hours:
 * the server ends a session that says nothing in a transaction, or does not take what it is told. In milliseconds.
 */
const lettingGo =
  '-c idle_in_transaction_session_timeout=60000 -c tcp_user_timeout=30000 -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3'

/** A pool on PostgreSQL 15 or newer; sessions run in UTC. */
export function openPostgres(url: string): Connection {
  const pool = new Pool({
    Client: PreparingClient,
    connectionString: url,
    max: 10,
    options: `-c TimeZone=UTC ${lettingGo}`,
    application_name: 'weekly-verdict',
    types: { getTypeParser: parserFor },
  })
  pool.on('error', () => {})
  // A connection that dies between two statements of a transaction belongs to nobody who listens; the next statement fails.
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new TemporalPlugin()],
  })
  return { db, driver: { kind: 'postgres', url }, close: () => db.destroy() }
}

/** PGlite in `dataDir/db`, or in memory when no folder is given (tests), where `copyOf` is a dump to begin with. */
export async function openEmbedded(dataDir?: string, copyOf?: Blob): Promise<Connection> {
  const unlock = dataDir ? lockDataFolder(dataDir) : () => {}
  if (dataDir) mkdirSync(join(dataDir, 'db'), { recursive: true })
  const pglite = await PGlite.create({
    ...(dataDir && { dataDir: join(dataDir, 'db') }),
    ...(copyOf && { loadDataDir: copyOf }),
    parsers: { [pgliteTypes.TIMESTAMPTZ]: parseInstant },
  })
  await pglite.exec(`set timezone to 'UTC'`)
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }), plugins: [new TemporalPlugin()] })
  return {
    db,
    driver: { kind: 'embedded', pglite },
    close: async () => {
      if (!pglite.closed) await pglite.close()
      unlock()
    },
  }
}

const int8 = 20
const int8Array = 1016
const timestamptz = 1184
const parseInt8Array = pgTypes.getTypeParser(int8Array as never) as (text: string) => string[]

function parserFor(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === timestamptz) return parseInstant
  if (oid === int8) return Number
  if (oid === int8Array) return (text) => parseInt8Array(text).map(Number)
  return pgTypes.getTypeParser(oid, format as 'text')
}

function parseInstant(text: string): Temporal.Instant {
  return Temporal.Instant.from(text)
}
