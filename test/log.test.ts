import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { withoutData } from '../src/log.ts'
import { useDatabase } from './setup/database.ts'
import { people } from './setup/people.ts'

const database = useDatabase()

describe('an error in the log', () => {
  it('tells what went wrong and where, but not whose row it was', async () => {
    await people.ann(database.db)
    const insert = sql`
      insert into subscriber (address, status, created_at) values (${'ann@example.test'}, 'pending', now())`

    const error = await insert.execute(database.db).catch((thrown: unknown) => thrown)

    const line = JSON.stringify(withoutData(error))
    expect(line).toContain('23505')
    expect(line).toContain('duplicate key')
    expect(line).not.toContain('ann@')
  })

  it('strikes an address out of a message', () => {
    expect(withoutData(new Error('no such mailbox: ann@example.test'))).toMatchObject({
      message: 'no such mailbox: …@…',
    })
  })
})
