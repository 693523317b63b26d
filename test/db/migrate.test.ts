import { readdirSync } from 'node:fs'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Connection, openEmbedded, openPostgres } from '../../db/connect.ts'
import { migrate, pendingMigrations } from '../../db/migrate.ts'
import { isOnPostgres, openTestDatabase } from '../setup/database.ts'

const all = readdirSync(new URL('../../db/migrations/', import.meta.url))
  .map((file) => file.replace(/\.ts$/, ''))
  .toSorted()

describe('migrating', () => {
  it('brings an empty database to the newest schema, in order', async () => {
    const [{ db }] = await emptyDatabase(1)

    const before = await pendingMigrations(db)
    const ran = await migrate(db)

    expect(before).toEqual(all)
    expect(ran).toEqual(all)
    expect(await pendingMigrations(db)).toEqual([])
    expect(await db.selectFrom('delivery_state').selectAll().execute()).toEqual([])
  })

  it('again does nothing', async () => {
    const [{ db }] = await emptyDatabase(1)
    await migrate(db)

    expect(await migrate(db)).toEqual([])
  })

  it('in several processes at once runs each migration once', async () => {
    const connections = await emptyDatabase(4)

    const ran = await Promise.all(connections.map(({ db }) => migrate(db)))

    expect(ran.flat()).toEqual(all)
    expect(await pendingMigrations(connections[0].db)).toEqual([])
  })
})

/** Connections to one database that has no tables; on the embedded one they are one and the same. */
async function emptyDatabase(connections: number): Promise<[Connection, ...Connection[]]> {
  if (!isOnPostgres) {
    const connection = await openEmbedded()
    onTestFinished(connection.close)
    return [connection, ...Array<Connection>(connections - 1).fill(connection)]
  }
  const { connection, url, close } = await openTestDatabase()
  await sql`drop schema public cascade`.execute(connection.db)
  await sql`create schema public`.execute(connection.db)
  const others = Array.from({ length: connections - 1 }, () => openPostgres(url ?? ''))
  onTestFinished(async () => {
    for (const other of others) await other.close()
    await close()
  })
  return [connection, ...others]
}
