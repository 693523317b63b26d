import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { type Connection, openEmbedded, openPostgres } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { copyEmbeddedInto } from './own-database.ts'

/** A database that can be copied while nobody has it open, with the data folder of the machine that sends with it. */
export type Home = {
  readonly dataDir: string
  open(): Promise<Connection>
  /** Keeps a copy of the database, as a backup does. */
  copy(): Promise<void>
  /** Puts the copy in the database's place. */
  restore(): Promise<void>
  /** Puts an empty database in its place. */
  replace(): Promise<void>
  /** Another machine that sees the same database, or for the embedded one its folder, and has a disk of its own. */
  anotherMachine(): Promise<Home>
  remove(): Promise<void>
}

/** PGlite in a folder, or a PostgreSQL database where `TEST_DATABASE_URL` is set. */
export async function makeHome(): Promise<Home> {
  const server = process.env.TEST_DATABASE_URL
  if (server) return onPostgres(server, `wv_home_${randomUUID().replaceAll('-', '')}`)
  const dataDir = await folder()
  await copyEmbeddedInto(dataDir)
  return inFolder(dataDir)
}

function inFolder(dataDir: string): Home {
  const [db, copy] = [join(dataDir, 'db'), join(dataDir, 'copy')]
  return {
    dataDir,
    open: () => migrated(openEmbedded(dataDir)),
    copy: () => cp(db, copy, { recursive: true }),
    async restore() {
      await rm(db, { recursive: true })
      await rename(copy, db)
    },
    replace: () => rm(db, { recursive: true }),
    async anotherMachine() {
      const there = await folder()
      await cp(db, join(there, 'db'), { recursive: true })
      return inFolder(there)
    },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  }
}

async function onPostgres(server: string, name: string): Promise<Home> {
  const dataDir = await folder()
  const url = new URL(server)
  url.pathname = `/${name}`
  const copied = `${name}_copy`
  const make = (template = 'template1') =>
    onServer(server, sql`create database ${sql.id(name)} template ${sql.id(template)}`)
  const drop = (which: string) => onServer(server, sql`drop database if exists ${sql.id(which)} with (force)`)
  await make(process.env.WV_POSTGRES_TEMPLATE)
  const home: Home = {
    dataDir,
    open: () => migrated(Promise.resolve(openPostgres(url.href))),
    copy: () => onServer(server, sql`create database ${sql.id(copied)} template ${sql.id(name)}`),
    async restore() {
      await drop(name)
      await onServer(server, sql`alter database ${sql.id(copied)} rename to ${sql.id(name)}`)
    },
    async replace() {
      await drop(name)
      await make()
    },
    async anotherMachine() {
      const there = await folder()
      return { ...home, dataDir: there, remove: () => rm(there, { recursive: true, force: true }) }
    },
    async remove() {
      await drop(name)
      await drop(copied)
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return home
}

async function migrated(opening: Promise<Connection>): Promise<Connection> {
  const connection = await opening
  await migrate(connection.db)
  return connection
}

async function onServer(server: string, statement: ReturnType<typeof sql>): Promise<void> {
  const connection = openPostgres(server)
  await statement.execute(connection.db).finally(() => connection.close())
}

function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'verdict-home-'))
}
