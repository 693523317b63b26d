import { randomUUID } from 'node:crypto'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { type Connection, openPostgres } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'

/** A migrated PostgreSQL database of one run's own; `drop` removes it. */
export type OwnDatabase = { readonly url: string; readonly connection: Connection; drop(): Promise<void> }

/**
 * Makes a database, whose name begins with `prefix`, on a server where databases may be made. A copy of `template`, where that
 * is named, has nothing that must outlive its server: what is committed in it waits for no disk.
 */
export async function makeDatabase(server: string, prefix: string, template?: string): Promise<OwnDatabase> {
  const name = `${prefix}_${randomUUID().replaceAll('-', '')}`
  await onServer(server, sql`create database ${sql.id(name)} template ${sql.id(template ?? 'template1')}`)
  if (template) await onServer(server, sql`alter database ${sql.id(name)} set synchronous_commit = off`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const connection = openPostgres(url.href)
  if (template === undefined) await migrate(connection.db)
  return {
    url: url.href,
    connection,
    async drop() {
      await connection.close()
      await onServer(server, sql`drop database if exists ${sql.id(name)} with (force)`)
    },
  }
}

/** Puts a copy of the migrated embedded database, where the suite prepared one (`prepare-databases.ts`), into a data folder. */
export async function copyEmbeddedInto(dataDir: string): Promise<void> {
  const prepared = process.env.WV_EMBEDDED_FOLDER
  if (prepared) await cp(join(prepared, 'db'), join(dataDir, 'db'), { recursive: true })
}

async function onServer(url: string, statement: ReturnType<typeof sql>): Promise<void> {
  const server = openPostgres(url)
  await statement.execute(server.db).finally(() => server.close())
}
