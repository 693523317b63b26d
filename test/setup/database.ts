import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type Connection, openEmbedded } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import type { Database } from '../../db/schema.ts'
import { makeDatabase } from './own-database.ts'

/** A database of a test file's own: PostgreSQL where `TEST_DATABASE_URL` is set, else PGlite in memory. */
export type TestDatabase = { readonly connection: Connection; readonly db: Kysely<Database> }

export const isOnPostgres = Boolean(process.env.TEST_DATABASE_URL)

/** Gives a test file a migrated database and empties it before each test. */
export function useDatabase(): TestDatabase {
  let opened: Awaited<ReturnType<typeof openTestDatabase>> | undefined
  beforeAll(async () => {
    opened = await openTestDatabase()
  })
  beforeEach(async () => {
    if (opened) await emptyWhenQuiet(opened.connection.db)
  })
  afterAll(async () => {
    await opened?.close()
  })
  const connection = () => {
    if (!opened) throw new Error('The test database is not open yet')
    return opened.connection
  }
  return {
    get connection() {
      return connection()
    },
    get db() {
      return connection().db
    },
  }
}

/** A migrated database that nobody else has; `url` is there when it is PostgreSQL. `close` drops it. */
export async function openTestDatabase(): Promise<{
  connection: Connection
  url: string | undefined
  close(): Promise<void>
}> {
  const server = process.env.TEST_DATABASE_URL
  if (!server) {
    const connection = await openEmbedded(undefined, copyOfEmbedded())
    await migrate(connection.db)
    return { connection, url: undefined, close: connection.close }
  }
  const made = await makeDatabase(server, 'wv_test', process.env.WV_POSTGRES_TEMPLATE)
  return { connection: made.connection, url: made.url, close: made.drop }
}

/** What the suite prepared (`prepare-databases.ts`); nothing where a bench runs by itself. */
function copyOfEmbedded(): Blob | undefined {
  const path = process.env.WV_EMBEDDED_COPY
  return path === undefined ? undefined : new Blob([readFileSync(path)])
}

/** Returns once some session of this PostgreSQL database waits for a lock. Throws after ten seconds. */
export async function untilSomebodyWaits(db: Kysely<Database>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      db,
    )
    if (rows.length > 0) return
    await sleep(25)
  }
  throw new Error('Nobody waits for a lock')
}

/** Empties a database once more within a test. What a test left to be written in the background may hold a lock on its way: then PostgreSQL ends one of the two, and we try again. */
export async function emptyWhenQuiet(db: Kysely<Database>, tries = 5): Promise<void> {
  try {
    await emptyDatabase(db)
  } catch (error) {
    const isDeadlock = error instanceof Error && 'code' in error && error.code === '40P01'
    if (!isDeadlock || tries === 1) throw error
    await emptyWhenQuiet(db, tries - 1)
  }
}

/**
 * Every row of ours, and the numbers begin again; what was migrated stays known. Deleted, because a truncation makes new
 * files for every table, which costs a hundred times as much for so few rows; without triggers, because foreign keys would
 * want an order and append-only tables refuse. Truncated where PostgreSQL has counted: a deletion leaves its estimate, which
 * the product reads. The locks wait, as a truncation does, for whoever is writing.
 */
export async function emptyDatabase(db: Kysely<Database>): Promise<void> {
  await sql`do $$
    declare one record;
    begin
      perform set_config('session_replication_role', 'replica', true);
      execute (select 'lock table ' || string_agg(oid::regclass::text, ', ' order by oid)
                 from pg_class
                where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
                  and relname not like 'kysely%');
      for one in select oid::regclass as its_name, reltuples > 0 as is_estimated from pg_class
                  where relnamespace = 'public'::regnamespace and relkind = 'r'
                    and relname not like 'kysely%' and pg_relation_size(oid) > 0
      loop
        execute format(case when one.is_estimated then 'truncate %s cascade' else 'delete from %s' end, one.its_name);
      end loop;
      perform setval(format('%I', sequencename)::regclass, start_value, false) from pg_sequences
        where schemaname = 'public' and last_value is not null;
    end $$`.execute(db)
}
