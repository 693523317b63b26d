import { serve } from '@hono/node-server'
import type { BrowserContextOptions } from 'playwright-core'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { coming, fillDesk, newestSent } from '../bench/desk-data.ts'
import { clockAt } from './clock.ts'
import { documentFor, publish, sampleDocuments } from './comparisons.ts'
import { openTestDatabase } from './database.ts'
import { deskOn } from './desk.ts'
import { heard, issueInQuarantine } from './doubt.ts'
import { flaggedVotes } from './flagged.ts'
import { freePort } from './free-port.ts'
import { newYork } from './newsletter.ts'
import { people } from './people.ts'

type Cookies = NonNullable<Exclude<BrowserContextOptions['storageState'], string>>['cookies']

/** The desk of a newsletter with something of everything, served on loopback, and the paths of all its pages. */
export type WholeDesk = {
  readonly url: string
  readonly paths: readonly string[]
  readonly cookies: Cookies
  close(): Promise<void>
}

/**
 * An issue in draft, edited often; issues that went out, with what came back and clicks; one with a batch in doubt; readers
 * and comparisons in every state.
 */
export async function openWholeDesk(): Promise<WholeDesk> {
  const opened = await openTestDatabase()
  const database = { connection: opened.connection, db: opened.connection.db }
  const { db } = database
  await publishSamples(db)
  await fillDesk(db, { readers: 500, issues: 6, events: 9000, decisions: 60 })
  const batchId = await fillDoubt(database)
  const flagId = await flaggedVotes(db)

  const port = await freePort()
  const url = `http://localhost:${port}`
  const clock = clockAt('2026-11-26T15:00:00Z')
  const environment = { PUBLIC_URL: url, SEND_POLICY: 'approve' }
  const rules = { policy: 'approve' as const, grace: Temporal.Duration.from('PT36H') }
  const desk = deskOn(database, { clock, rules, environment })
  const server = serve({ fetch: desk.app.fetch, port, hostname: 'localhost' })
  const eve = await withToken(await desk.signedIn())
  await editOften(eve, clock)
  const readers = await fillReaders(database, eve)
  const issue = `/desk/issues/${coming}`
  return {
    url,
    paths: [
      ...[
        '/desk',
        '/desk/issues',
        issue,
        `${issue}?view=text`,
        `${issue}?view=headers`,
        `${issue}?as=monthly`,
      ],
      ...[`${issue}/diff`, `${issue}/test`, `${issue}/time`, `${issue}/decide?action=cancel`],
      ...['/desk/issues/2026-W47', `/desk/issues/${newestSent}`, `/desk/issues/${newestSent}/report`],
      ...['/desk/quarantine', `/desk/quarantine/${batchId}`, '/desk/growth', '/desk/growth?by=day'],
      ...['/desk/time-travel', '/desk/time-travel?week=2026-W40&at=2026-10-01T09:00'],
      ...[
        '/desk/preview-link/unsubscribe',
        '/desk/readers',
        '/desk/readers?show=bounced',
        '/desk/readers/add',
      ],
      ...readers,
      ...['/desk/content', '/desk/content?state=scheduled', '/desk/content?q=nothing+like+it'],
      ...['', '/edit', '/retract', '/revisions/2'].map((page) => `/desk/content/mended${page}`),
      ...['/desk/content/withdrawn', '/desk/content/new', '/desk/content/new/paste'],
      ...['/desk/votes', `/desk/votes/flags/${flagId}`, '/desk/log', '/desk/no-such-page'],
    ],
    cookies: [...eve.cookies]
      .filter(([name]) => name !== 'desk-said' && name !== '__Host-desk-said')
      .map(([name, value]) => ({
        ...{ name: name.replace('__Host-', ''), value, domain: 'localhost', path: '/' },
        ...{ expires: -1, httpOnly: true, secure: false, sameSite: 'Lax' as const },
      })),
    async close() {
      await new Promise((closed) => server.close(closed))
      await opened.close()
    },
  }
}

type Database = Parameters<typeof deskOn>[0]
type Eve = Awaited<ReturnType<ReturnType<typeof deskOn>['signedIn']>>

/** On http the session's cookie has another name than the one by which a browser of the tests knows that it has a token. */
async function withToken(eve: Eve): Promise<Eve> {
  const token = await eve.token()
  return { ...eve, post: (path, fields) => eve.post(path, { ...fields, token }) }
}

/** The samples, so that the coming issue has them; one more that was mended, one retracted, and one for a time to come. */
async function publishSamples(db: Database['db']): Promise<void> {
  const named = weekNamed(coming, newYork)
  if (!named) throw new Error(`${coming} is no week`)
  let hours = 30
  for (const document of [...sampleDocuments().values()].slice(0, 7)) {
    hours += 3
    await publish(db, { ...document, publishedAt: named.draftAt.subtract({ hours }).toString() })
  }
  const long = named.draftAt.subtract({ hours: 24 * 9 }).toString()
  const clock = () => named.draftAt.subtract({ hours: 20 })
  const mended = documentFor('mended', { publishedAt: long, title: 'Mended Twice vs Left Alone' })
  await publish(db, mended)
  await publishComparison(
    { db, clock },
    { ...mended, title: 'Mended Once vs Left Alone' },
    'eve@example.test',
  )
  const withdrawn = documentFor('withdrawn', { publishedAt: long })
  await publish(db, withdrawn)
  await publishComparison({ db, clock }, { ...withdrawn, retracted: true }, 'eve@example.test')
  await publishComparison({ db, clock }, documentFor('to-come', { publishedAt: '2026-12-08T09:00:00Z' }))
}

/** Week 47 with a batch of which nobody knows, and some heard of. */
async function fillDoubt(database: Database): Promise<string> {
  const ann = await people.ann(database.db)
  await people.crowd(database.db, 120)
  const due = await issueInQuarantine(database, 'after they were taken')
  await deliverIssue(due.deps, due.issue.id)
  await heard(database.db, due.batchId, [ann])
  return due.batchId
}

/** Sixteen saves of one editor, as autosave makes them, and a decision between. */
async function editOften(eve: Eve, clock: ReturnType<typeof clockAt>): Promise<void> {
  for (let base = 0; base < 16; base += 1) {
    const at = Temporal.Instant.from('2026-11-26T15:00:00Z').add({ minutes: 2 * base })
    clock.moveTo(at)
    const page = await (await eve.get(`/desk/issues/${coming}`)).text()
    const places = [...page.matchAll(/name="(place:[^"]+)" value="(\d+)"/g)].map(
      ([, name = '', value = '']) => [name, value],
    )
    const answer = await eve.post(`/desk/issues/${coming}/content`, {
      ...Object.fromEntries(places),
      ...{
        base: String(base),
        subject: '',
        preheader: '',
        intro: `Good morning, for the ${base + 1}. time.`,
      },
    })
    if (answer.status >= 400) throw new Error(`Not saved: ${await answer.text()}`)
  }
}

/** The pages of a reader who waits for a confirmation, was added, suppressed and erased, and of the questions about one. */
async function fillReaders({ db }: Database, eve: Eve): Promise<readonly string[]> {
  await db
    .insertInto('subscriber')
    .values({
      ...{ address: 'pending@example.test', status: 'pending' },
      created_at: Temporal.Instant.from('2026-11-26T14:00:00Z'),
    })
    .execute()
  const add = async (address: string) => {
    const answer = await eve.post('/desk/readers/add', { address, consent: 'Asked at the May meetup' })
    return answer.headers.get('location') ?? ''
  }
  const long = await add('a.reader.with.quite.a.long.name.indeed@mail.department.of-a-large.company.example')
  const barred = await add('barred@example.com')
  await eve.post(`${barred}/decide`, { action: 'suppress', sure: 'yes' })
  const erased = await add('erased@example.com')
  await eve.post(`${erased}/decide`, {
    action: 'erase',
    sure: 'yes',
    address: 'erased@example.com',
    typed: 'erased@example.com',
  })
  const rows = await db
    .selectFrom('subscriber')
    .select(['public_id', 'address'])
    .where('address', 'in', ['ann@example.test', 'pending@example.test'])
    .orderBy('address')
    .execute()
  const [ann = '', pending = ''] = rows.map(({ public_id }) => `/desk/readers/${public_id}`)
  return [
    ...[ann, pending, long, barred, erased, `${long}/decide?action=erase`],
    ...[`${pending}/decide?action=unsubscribe`, `${barred}/decide?action=lift%20suppression`],
  ]
}
