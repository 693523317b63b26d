import { describe, expect, it } from 'vitest'
import { browseReaders, type ReaderFilter } from '../../src/subscriber/browse.ts'
import { countByReason, countByStatus } from '../../src/subscriber/count-readers.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { beginningOf, findReader, readerAt, readersBeginning } from '../../src/subscriber/find.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const clock = clockAt(friday)

describe('a beginning, as it was typed', () => {
  it.each([
    ['Ann', 'ann'],
    ['  ANN@Example.Test ', 'ann@example.test'],
    ['ann@bücher.ex', 'ann@xn--bcher-kva.ex'],
    ['ann@BÜCHER.example', 'ann@xn--bcher-kva.example'],
    ['ann@büch', 'ann@xn--'],
    ['ann@xn--bcher', 'ann@xn--bcher'],
    ['an\u200bn', 'ann'],
    ['a%_\\', 'a%_\\'],
    ['', ''],
    ['@', '@'],
  ])('%j is looked for as %j', (typed, beginning) => {
    expect(beginningOf(typed)).toBe(beginning)
  })
})

describe('readers whose address begins so', () => {
  it('are found in order, each once, for as many pages as there are, and nobody else', async () => {
    await people.crowd(database.db, 12)
    await people.ann(database.db)
    const seen: (string | null)[] = []

    for (let after = ''; ; ) {
      const page = await readersBeginning(database.db, 'reader-00000', { after, most: 4 })
      seen.push(...page.map(({ address }) => address))
      if (page.length < 4) break
      after = page.at(-1)?.address ?? ''
    }

    expect(seen).toEqual(Array.from({ length: 9 }, (_, n) => `reader-00000${n + 1}@example.test`))
  })

  it.each(['%', '_nn', 'a%', 'ann\\', "ann'", 'nn'])('a pattern is no beginning: %s', async (typed) => {
    await people.ann(database.db)

    expect(await readersBeginning(database.db, beginningOf(typed), { most: 5 })).toEqual([])
  })

  it('are found by the letters of their domain once a label of it is whole', async () => {
    await add('ann@xn--bcher-kva.example')
    const found = async (typed: string) =>
      (await readersBeginning(database.db, beginningOf(typed), { most: 5 })).map(({ address }) => address)

    expect(await found('ann@bücher.')).toEqual(['ann@xn--bcher-kva.example'])
    expect(await found('ann@bü')).toEqual(['ann@xn--bcher-kva.example'])
    expect(await found('ann@bucher.')).toEqual([])
  })

  it('say what bars their address', async () => {
    await people.bobWhoComplained(database.db)

    expect(await readersBeginning(database.db, 'bob', { most: 5 })).toMatchObject([
      { address: 'bob@example.test', status: 'confirmed', barred: 'complained' },
    ])
  })
})

describe('one reader', () => {
  it('is found by address and by number, until they are erased', async () => {
    const ann = await people.ann(database.db)

    expect(await readerAt(database.db, ann.address)).toMatchObject({ public_id: ann.publicId })
    expect(await findReader(database.db, ann.publicId)).toMatchObject({ address: ann.address })

    await eraseReader({ db: database.db, clock, keys: testKeys }, ann.publicId, 'by hand')

    expect(await readerAt(database.db, ann.address)).toBeUndefined()
    expect(await findReader(database.db, ann.publicId)).toMatchObject({ address: null, status: 'erased' })
  })
})

describe('the lists', () => {
  it.each([
    ['everybody', ['erased', 'eve', 'dan', 'cleo', 'bob', 'ann']],
    ['confirmed', ['cleo', 'bob']],
    ['unsubscribed', ['ann']],
    ['paused', ['dan']],
    ['pending', ['eve']],
    ['erased', ['erased']],
    ['complained', ['bob']],
    ['bounced', ['stranger', 'cleo']],
    ['by hand', []],
  ] as const)('%s has them newest first', async (filter: ReaderFilter, names) => {
    await everyKind()

    const rows = await browseReaders(database.db, filter, { most: 10 })

    expect(rows.map(({ address }) => address?.replace('@example.test', '') ?? 'erased')).toEqual(names)
  })

  it('of one state goes on for as many pages as there are', async () => {
    await people.crowd(database.db, 7)
    await people.bobWhoComplained(database.db)
    const seen: (string | null)[] = []

    for (let before: number | undefined; ; ) {
      const page = await browseReaders(database.db, 'confirmed', { before, most: 3 })
      seen.push(...page.map(({ address }) => address))
      if (page.length < 3) break
      before = page.at(-1)?.cursor
    }

    expect(seen).toHaveLength(8)
    expect(new Set(seen).size).toBe(8)
  })

  it('are counted by state and by reason', async () => {
    await everyKind()

    expect(Object.fromEntries((await countByStatus(database.db)).of)).toEqual({
      ...{ confirmed: 2, unsubscribed: 1, paused: 1, pending: 1, erased: 1 },
    })
    expect(Object.fromEntries((await countByReason(database.db)).of)).toEqual({
      ...{ complained: 1, bounced: 2, erased: 1 },
    })
  })
})

/** Ann left, Bob complained, Cleo's and a stranger's address bounced, Dan pauses, Eve has not confirmed, Finn was erased. */
async function everyKind(): Promise<void> {
  const { db } = database
  const ann = await people.ann(db)
  await people.bobWhoComplained(db)
  await people.cleo(db)
  await db
    .insertInto('subscriber')
    .values([
      {
        ...{ address: 'dan@example.test', status: 'paused', created_at: clock(), confirmed_at: clock() },
        paused_until: clock().add({ hours: 400 }),
      },
      { address: 'eve@example.test', status: 'pending', created_at: clock() },
      { address: 'finn@example.test', status: 'confirmed', created_at: clock(), confirmed_at: clock() },
    ])
    .execute()
  await unsubscribe({ db, clock }, ann.publicId, 'page')
  const finn = await readerAt(db, 'finn@example.test')
  await eraseReader({ db, clock, keys: testKeys }, finn?.public_id ?? '', 'by hand')
  await db
    .insertInto('suppression')
    .values([
      { address: 'cleo@example.test', reason: 'bounced', since: clock() },
      { address: 'stranger@example.test', reason: 'bounced', since: clock() },
    ])
    .execute()
}

async function add(address: string): Promise<void> {
  await database.db
    .insertInto('subscriber')
    .values({ address, status: 'confirmed', created_at: clock(), confirmed_at: clock() })
    .execute()
}
