import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { up } from '../../db/migrations/023-corrections.ts'
import { useDatabase } from '../setup/database.ts'
import { openWeeks, readerWho } from '../setup/weeks.ts'

const database = useDatabase()

describe('the migration that brings corrections', () => {
  it('knows of issues that went out before it what each of their editions told', async () => {
    const { db } = database
    const weeks = await openWeeks(database)
    await readerWho(database, 'ann')
    await readerWho(database, 'bob', { follows: 'Data' })
    await readerWho(database, 'mona', 'monthly')
    await weeks.run('2026-W48', ['Design', 'Data'])
    await weeks.run('2026-W49', ['Design', 'Data'])
    await weeks.draft('2026-W50')
    const before = await tells()
    await sql`drop table edition_tells, issue_correction`.execute(db)

    await up(db)

    expect(before.length).toBeGreaterThan(6)
    expect(await tells()).toEqual(before)
  })
})

function tells() {
  return database.db
    .selectFrom('edition_tells')
    .selectAll()
    .orderBy('edition_hash')
    .orderBy('comparison_id')
    .execute()
}
