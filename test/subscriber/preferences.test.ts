import { describe, expect, it } from 'vitest'
import { choicesOf, followable, savePreferences } from '../../src/subscriber/preferences.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { everything } from '../setup/everything.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const clock = clockAt('2026-11-18T14:00:00Z')
const nothing = { cadence: 'weekly', categories: [], tools: [] } as const

describe('a reader’s choices', () => {
  it('are stored as a whole, with one line in the record', async () => {
    const ann = await annWhoReads('glyphmoor-vs-kernwick', 'larkhusk-vs-tinmumble')

    const first = await save(ann, {
      cadence: 'followed',
      categories: ['Developer Tools'],
      tools: ['larkhusk-vs-tinmumble-left', 'glyphmoor-vs-kernwick-left'],
    })
    const second = await save(ann, { ...nothing, tools: ['larkhusk-vs-tinmumble-left'] })

    expect([first, second]).toEqual(['saved', 'saved'])
    expect(await choices(ann)).toEqual({ ...nothing, tools: ['larkhusk-vs-tinmumble-left'] })
    expect(await record()).toEqual([
      'followed; categories: Developer Tools; tools: glyphmoor-vs-kernwick-left, larkhusk-vs-tinmumble-left',
      'weekly; categories: none; tools: larkhusk-vs-tinmumble-left',
    ])
  })

  it('leave no line when nothing is different', async () => {
    const ann = await annWhoReads('glyphmoor-vs-kernwick')

    expect(await save(ann, nothing)).toBe('no change')
    expect(await record()).toEqual([])
  })

  it('saved twenty times at once are saved once', async () => {
    const ann = await annWhoReads()

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => save(ann, { ...nothing, cadence: 'monthly' })),
    )

    expect(answers.filter((answer) => answer === 'saved')).toHaveLength(1)
    expect(await record()).toHaveLength(1)
  })

  it('of nothing but what one follows need something to follow', async () => {
    const ann = await annWhoReads('glyphmoor-vs-kernwick')
    const before = await everything(database.db)

    const answer = await save(ann, { cadence: 'followed', categories: ['Nowhere'], tools: ['no-such-tool'] })

    expect(answer).toBe('empty')
    expect(await everything(database.db)).toEqual(before)
  })

  it('do not touch anybody else’s', async () => {
    const [ann, bob] = [await annWhoReads('glyphmoor-vs-kernwick'), await people.bob(database.db)]
    await save(bob, { ...nothing, categories: ['Developer Tools'] })

    await save(ann, { ...nothing, cadence: 'monthly', tools: ['glyphmoor-vs-kernwick-left'] })

    expect(await choices(bob)).toEqual({ ...nothing, categories: ['Developer Tools'] })
  })

  it('are not taken from who has left', async () => {
    const ann = await annWhoReads()
    await unsubscribe({ db: database.db, clock }, ann.publicId, 'page')

    expect(await save(ann, { ...nothing, cadence: 'monthly' })).toBe('not on the list')
  })
})

describe('what can be followed', () => {
  it('is what was compared, by name, and what one follows already', async () => {
    const ann = await annWhoReads('glyphmoor-vs-kernwick', 'larkhusk-vs-tinmumble')
    await save(ann, { ...nothing, categories: ['Developer Tools'], tools: ['glyphmoor-vs-kernwick-left'] })
    await database.db
      .updateTable('comparison')
      .set({ retracted_at: clock() })
      .where('slug', '=', 'glyphmoor-vs-kernwick')
      .execute()

    const offered = await followable(database.db, ann.id, clock())

    expect(offered.categories).toEqual([{ name: 'Developer Tools', followed: true, isPublic: true }])
    expect(
      offered.tools.map(({ slug, followed, isPublic }) =>
        [slug, ...(followed ? ['followed'] : []), ...(isPublic ? [] : ['gone'])].join(', '),
      ),
    ).toEqual([
      'glyphmoor-vs-kernwick-left, followed, gone',
      'larkhusk-vs-tinmumble-left',
      'larkhusk-vs-tinmumble-right',
    ])
  })

  it('names a tool as its newest comparison does', async () => {
    const ann = await people.ann(database.db)
    const document = documentFor('glyphmoor-vs-kernwick')
    await publish(database.db, document)
    const [left, right] = document.tools
    if (!left || !right) throw new Error('A comparison has two tools')
    await publish(database.db, {
      ...documentFor('later'),
      publishedAt: '2026-11-18T15:00:00Z',
      tools: [{ ...left, name: 'Another name' }, right],
    })

    const { tools } = await followable(database.db, ann.id, clock().add({ hours: 24 }))

    expect(tools.find(({ slug }) => slug === left.slug)?.name).toBe('Another name')
  })

  it('says nothing of a comparison whose time has not come', async () => {
    const ann = await people.ann(database.db)
    await publish(database.db, documentFor('glyphmoor-vs-kernwick', { publishedAt: '2026-11-18T15:00:00Z' }))

    expect(await followable(database.db, ann.id, clock())).toEqual({ categories: [], tools: [] })
    expect((await followable(database.db, ann.id, clock().add({ hours: 1 }))).tools).toHaveLength(2)
  })
})

async function annWhoReads(...slugs: string[]) {
  for (const slug of slugs) await publish(database.db, documentFor(slug))
  return people.ann(database.db)
}

function save({ publicId }: { publicId: string }, wish: Parameters<typeof savePreferences>[2]) {
  return savePreferences({ db: database.db, clock }, publicId, wish)
}

async function choices({ id }: { id: number }) {
  const { cadence } = await database.db
    .selectFrom('subscriber')
    .select('cadence')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return choicesOf(database.db, { id, cadence })
}

async function record(): Promise<readonly (string | null)[]> {
  const rows = await database.db
    .selectFrom('consent_event')
    .select('detail')
    .where('kind', '=', 'preferences changed')
    .orderBy('id')
    .execute()
  return rows.map(({ detail }) => detail)
}
