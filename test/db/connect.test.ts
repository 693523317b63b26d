import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { often } from '../../db/prepare.ts'
import { isOnPostgres, useDatabase } from '../setup/database.ts'

const database = useDatabase()

describe.runIf(isOnPostgres)('a session on PostgreSQL', () => {
  it.each([
    ['TimeZone', 'UTC'],
    ['idle_in_transaction_session_timeout', '60000'],
    ['tcp_user_timeout', '30000'],
    ['tcp_keepalives_idle', '30'],
  ])('has %s at %s, so that a machine that is cut off keeps no lock', async (name, value) => {
    const { rows } = await sql<{
      value: string
    }>`select setting as value from pg_settings where name = ${name}`.execute(database.db)

    expect(rows).toEqual([{ value }])
  })

  it('that is ended in the middle of a transaction fails that transaction and nothing else', async () => {
    const cut = database.db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)
      await sql`select pg_terminate_backend(${rows[0]?.pid}::int)`.execute(database.db)
      await sleep(100)
      return sql`select 1`.execute(trx)
    })

    await expect(cut).rejects.toThrow()
    expect((await sql`select 1 as still`.execute(database.db)).rows).toEqual([{ still: 1 }])
  })

  it('keeps the plan of what is run for every batch, and of nothing else', async () => {
    const prepared = await database.db.connection().execute(async (one) => {
      await sql`${often} select ${'batch'}::text as asked_often`.execute(one)
      await sql`select ${'once'}::text as asked_once`.execute(one)
      return sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(one)
    })

    const statements = prepared.rows.map(({ statement }) => statement)
    expect(statements.some((statement) => statement.includes('asked_often'))).toBe(true)
    expect(statements.some((statement) => statement.includes('asked_once'))).toBe(false)
  })
})
