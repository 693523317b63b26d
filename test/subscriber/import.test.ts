import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { importSubscribers } from '../../src/subscriber/import.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { everything } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const clock = clockAt('2026-11-18T14:00:00Z')

describe('importing readers', () => {
  it('adds each with the consent that stands in their row', async () => {
    const result = await take('address,consent\nann@example.test,meetup in May\nbob@example.test,web form\n')

    expect(result).toEqual({ ...nothing, added: 2 })
    expect(await consents()).toEqual([
      { address: 'ann@example.test', detail: 'meetup in May' },
      { address: 'bob@example.test', detail: 'web form' },
    ])
  })

  it('reads what spreadsheets write: a byte order mark, CRLF, quotes, other columns in any order, empty lines', async () => {
    const result = await take(
      '\ufeff"Name", Consent ,"ADDRESS"\r\n"Ann ""A"" Archer","yes, in May",Ann@EXAMPLE.test\r\n\r\n\r\n' +
        'Bob,"two\nlines",bob@example.test',
    )

    expect(result).toEqual({ ...nothing, added: 2 })
    expect(await consents()).toEqual([
      { address: 'ann@example.test', detail: 'yes, in May' },
      { address: 'bob@example.test', detail: 'two\nlines' },
    ])
  })

  it('twice changes nothing', async () => {
    const list = 'address,consent\nann@example.test,meetup\nANN@example.test,meetup\n'
    await take(list)

    expect(await take(list)).toEqual({ ...nothing, known: 2 })
    expect(await consents()).toHaveLength(1)
  })

  it('leaves out who left or is suppressed, and counts them', async () => {
    const ann = await people.ann(database.db)
    await unsubscribe({ db: database.db, clock }, ann.publicId, 'page')
    await people.bobWhoComplained(database.db)

    const result = await take('address,consent\nann@example.test,meetup\nbob@example.test,meetup\n')

    expect(result).toEqual({
      ...{ ...nothing, left: 1, suppressed: 1 },
      noted: [
        expect.objectContaining({ line: 2, fate: 'left' }),
        expect.objectContaining({ line: 3, fate: 'suppressed' }),
      ],
    })
  })

  it('refuses a row for itself, with its line, and takes the others', async () => {
    const result = await take(
      [
        'address,consent',
        'ann@example.test,meetup',
        'not an address,meetup',
        'bob@example.test,',
        ',meetup',
        'cleo@example.test,meetup,one column too many',
        'dan@example.test',
        'eve@example.test,"she said ""yes"""',
        'gus@example.test,a zero\u0000byte',
        'hal@example.test,meetup',
      ].join('\n'),
    )

    expect(result).toMatchObject({ kind: 'imported', added: 3 })
    expect(linesOf(result)).toEqual([3, 4, 5, 6, 7, 9])
    expect((await consents()).map(({ address }) => address)).toEqual([
      'ann@example.test',
      'eve@example.test',
      'hal@example.test',
    ])
  })

  it('says so when it cannot read a file to its end, which can then be mended and taken again', async () => {
    const broken = 'address,consent\nann@example.test,meetup\nbob@example.test,"never closed\n'

    const result = await take(broken)
    await take(broken.replace('"', ''))

    expect(result).toMatchObject({
      kind: 'imported',
      noted: [{ problem: expect.stringMatching(/quote.*not read to its end/i) }],
    })
    expect((await consents()).map(({ address }) => address)).toEqual(['ann@example.test', 'bob@example.test'])
  })

  it('counts who stands in the list twice, across as many rows as it takes', async () => {
    const rows = Array.from({ length: 2500 }, (_, n) => `r${n % 1200}@example.test,meetup`)

    const result = await take(['address,consent', 'known@example.test,meetup', ...rows].join('\n'))

    expect(result).toMatchObject({ added: 1201, repeated: 1300, known: 0 })
    expect(linesOf(result)).toHaveLength(20)
    expect(await consents()).toHaveLength(1201)
  })

  it('does not bring in who the list itself says is not subscribed', async () => {
    const result = await take(
      'address,status,consent\nann@example.test,confirmed,web form\nbob@example.test,unsubscribed,web form\n',
    )

    expect(result).toMatchObject({ added: 1, elsewhere: 1, noted: [{ line: 3, fate: 'elsewhere' }] })
  })

  it('confirms who had signed up and not confirmed, and leaves who is paused', async () => {
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    const change = (id: number) => database.db.updateTable('subscriber').where('id', '=', id)
    await change(ann.id).set({ status: 'pending', confirmed_at: null }).execute()
    await change(bob.id)
      .set({ status: 'paused', paused_until: clock().add({ hours: 1 }) })
      .execute()

    const result = await take('address,consent\nann@example.test,meetup\nbob@example.test,meetup\n')

    const rows = await database.db.selectFrom('subscriber').select('status').orderBy('id').execute()
    expect(result).toMatchObject({ added: 1, known: 1 })
    expect(rows.map(({ status }) => status)).toEqual(['confirmed', 'paused'])
  })

  it('says exactly what would happen, and takes it back', async () => {
    const list = 'address,consent\nann@example.test,meetup\nANN@example.test,meetup\nnobody,meetup\n'
    const before = await everything(database.db)

    const foreseen = await importSubscribers(deps(), Readable.from([list]), { dryRun: true })

    expect(await everything(database.db)).toEqual(before)
    expect(foreseen).toMatchObject({ added: 1, repeated: 1, refused: 1 })
    expect(await take(list)).toEqual(foreseen)
  })

  it('keeps no address in the record, which cannot be erased', async () => {
    await take(
      'address,consent\nann@example.test,"form of May, sent by Ann@Example.test, and ann%40example.test"\n',
    )

    expect(await consents()).toEqual([
      { address: 'ann@example.test', detail: 'form of May, sent by [address], and [address]' },
    ])
  })

  it('takes two lists with the same readers at once, whatever their order', async () => {
    const rows = Array.from({ length: 2000 }, (_, n) => `r${n}@example.test,meetup`)
    const [forth, back] = [rows, rows.toReversed()].map((some) => ['address,consent', ...some].join('\n'))

    await Promise.all([take(forth ?? ''), take(back ?? '')])

    expect(await consents()).toHaveLength(2000)
  })

  it('keeps what looks like a formula as the text that it is', async () => {
    const formulas = ['=HYPERLINK("https://example.test";"x")', '+1+1', '-2+3', '@SUM(A1)']

    await take(
      `address,consent\n${formulas.map((cell, n) => `r${n}@example.test,"${cell.replaceAll('"', '""')}"`).join('\n')}`,
    )

    expect((await consents()).map(({ detail }) => detail)).toEqual(formulas)
  })

  it.each([
    ['without a consent column', 'address,name\nann@example.test,Ann\n', /lacks the column consent/],
    ['without an address column', 'mail,consent\nann@example.test,yes\n', /lacks the column address/],
    ['without a header line', 'ann@example.test,yes\n', /lacks the column address and consent/],
    ['that is empty', '', /empty/],
    ['that is no CSV', '\u0000\u0001\u0002PNG', /lacks the column|no CSV/],
  ])('says that a file %s is no list of readers', async (_, csv, why) => {
    const result = await take(csv)

    expect(result).toEqual({ kind: 'unusable', problem: expect.stringMatching(why) })
    expect(await consents()).toEqual([])
  })

  it('reads row by row: a hundred thousand refused rows are one pass', async () => {
    function* rows() {
      yield 'address,consent\n'
      for (let n = 0; n < 100_000; n += 1) yield 'no address,yes\n'
    }

    const result = await importSubscribers(deps(), Readable.from(rows()))

    expect(result).toMatchObject({ refused: 100_000 })
    expect(linesOf(result)).toHaveLength(20)
  })
})

const nothing = {
  ...{ kind: 'imported', added: 0, known: 0, repeated: 0, left: 0, suppressed: 0, erased: 0, elsewhere: 0 },
  ...{ refused: 0, noted: [] },
}

function deps() {
  return { db: database.db, clock, keys: testKeys }
}

function linesOf(result: Awaited<ReturnType<typeof take>>): readonly number[] {
  return result.kind === 'imported' ? result.noted.map(({ line }) => line) : []
}

function take(csv: string) {
  return importSubscribers(deps(), Readable.from([Buffer.from(csv)]))
}

function consents() {
  return database.db
    .selectFrom('consent_event as e')
    .innerJoin('subscriber as s', 's.id', 'e.subscriber_id')
    .select(['s.address', 'e.detail'])
    .orderBy('e.id')
    .execute()
}
