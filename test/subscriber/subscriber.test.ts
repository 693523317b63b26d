import { describe, expect, it } from 'vitest'
import { addSubscriber } from '../../src/subscriber/subscriber.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const clock = clockAt('2026-11-18T14:00:00Z')
const atTheMeetup = { method: 'by hand' as const, detail: 'asked at the May meetup' }

describe('adding a reader', () => {
  it('confirms them, with the proof that they agreed', async () => {
    const added = await addSubscriber({ db: database.db, clock }, 'ann@example.test', atTheMeetup)

    expect(added).toBe('added')
    expect(await readers()).toMatchObject([{ address: 'ann@example.test', status: 'confirmed' }])
    expect(await consents()).toMatchObject([{ kind: 'imported', at: clock(), ...atTheMeetup }])
  })

  it('twice is no second reader and no second proof', async () => {
    await addSubscriber({ db: database.db, clock }, 'ann@example.test', atTheMeetup)

    const again = await addSubscriber({ db: database.db, clock }, 'ann@example.test', atTheMeetup)

    expect(again).toBe('already confirmed')
    expect(await readers()).toHaveLength(1)
    expect(await consents()).toHaveLength(1)
  })

  it('ten times at once makes one', async () => {
    const added = await Promise.all(
      Array.from({ length: 10 }, () =>
        addSubscriber({ db: database.db, clock }, 'ann@example.test', atTheMeetup),
      ),
    )

    expect(added.toSorted()).toEqual(['added', ...Array(9).fill('already confirmed')])
    expect(await readers()).toHaveLength(1)
    expect(await consents()).toHaveLength(1)
  })

  it('confirms who had signed up and not yet pressed the button', async () => {
    await database.db
      .insertInto('subscriber')
      .values({ address: 'ann@example.test', status: 'pending', created_at: clock() })
      .execute()

    const added = await addSubscriber({ db: database.db, clock }, 'ann@example.test', atTheMeetup)

    expect(added).toBe('added')
    expect(await readers()).toMatchObject([{ status: 'confirmed', confirmed_at: clock() }])
  })

  it('does not bring back who left', async () => {
    const ann = await people.ann(database.db)
    await unsubscribe({ db: database.db, clock }, ann.publicId, 'one-click')

    const added = await addSubscriber({ db: database.db, clock }, ann.address, atTheMeetup)

    expect(added).toBe('left before')
    expect(await readers()).toMatchObject([{ status: 'unsubscribed' }])
  })

  it('refuses an address that is suppressed', async () => {
    await database.db
      .insertInto('suppression')
      .values({ address: 'ann@example.test', reason: 'bounced', since: clock() })
      .execute()

    const added = await addSubscriber({ db: database.db, clock }, 'ann@example.test', atTheMeetup)

    expect(added).toBe('suppressed')
    expect(await readers()).toEqual([])
  })
})

function readers() {
  return database.db.selectFrom('subscriber').selectAll().orderBy('id').execute()
}

function consents() {
  return database.db.selectFrom('consent_event').selectAll().orderBy('id').execute()
}
