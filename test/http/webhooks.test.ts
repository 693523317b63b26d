import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { applyEvents } from '../../src/delivery/apply-events.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { eventsAbout } from '../../src/delivery/evidence.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { postLetter } from '../../src/subscriber/letter.ts'
import { appOn } from '../setup/app.ts'
import { useDatabase } from '../setup/database.ts'
import { type DueIssue, plannedIssue } from '../setup/delivery.ts'
import {
  bounces,
  deliverEvent,
  type KnownMail,
  mailEvent,
  secrets,
  signedHeaders,
  webhookEnvironment,
} from '../setup/events.ts'
import { tablesWith } from '../setup/everything.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()

describe('a webhook', () => {
  const body = JSON.stringify(mailEvent('delivered', { emailId: 'e1', to: 'ann@example.test' }).document)

  it.each<[string, () => Record<string, string>, string, number]>([
    ['a good signature', () => signedHeaders(body), body, 200],
    [
      'the secret that comes next in a rotation',
      () => signedHeaders(body, { secret: secrets.fresh }),
      body,
      200,
    ],
    ['a second signature that fits', () => twice(signedHeaders(body)), body, 200],
    ['junk behind the timestamp', () => junkBehind(signedHeaders(body)), body, 200],
    ['a timestamp of almost five minutes ago', () => signedHeaders(body, { secondsAgo: 290 }), body, 200],
    ['a changed body', () => signedHeaders(body), body.replace('ann@', 'bob@'), 401],
    ['a body written anew', () => signedHeaders(` ${body}`), body, 401],
    ['another id', () => ({ ...signedHeaders(body), 'svix-id': 'msg_other' }), body, 401],
    ['a timestamp of long ago', () => signedHeaders(body, { secondsAgo: 310 }), body, 401],
    ['a timestamp of the future', () => signedHeaders(body, { secondsAgo: -310 }), body, 401],
    ['only a scheme that we do not know', () => otherScheme(signedHeaders(body)), body, 401],
    ['a signature without its comma', () => withoutComma(signedHeaders(body)), body, 401],
    [
      'a secret that is not ours',
      () => signedHeaders(body, { secret: `whsec_${btoa('somebody')}` }),
      body,
      401,
    ],
    ['no signature', () => ({ ...signedHeaders(body), 'svix-signature': '' }), body, 401],
    ['no timestamp', () => ({ ...signedHeaders(body), 'svix-timestamp': '' }), body, 401],
    ['no id', () => ({ ...signedHeaders(body), 'svix-id': '' }), body, 401],
    ['no headers at all', () => ({}), body, 401],
    ['something that is not JSON', () => signedHeaders('{"type":'), '{"type":', 400],
    ['nothing in it', () => signedHeaders(''), '', 400],
    ['JSON that is no event', () => signedHeaders('[]'), '[]', 400],
    ['no email_id', () => signedHeaders('{"type":"email.sent"}'), '{"type":"email.sent"}', 400],
    ['a type that nobody knows', () => signedHeaders('{"type":"moon.rose"}'), '{"type":"moon.rose"}', 200],
    ['a body of 300 KB', () => signedHeaders('x'.repeat(300_000)), 'x'.repeat(300_000), 413],
  ])('with %s', async (_what, headers, sent, status) => {
    const app = appOn(database, { environment: webhookEnvironment })

    const response = await app.request('/webhooks/resend', { method: 'POST', body: sent, headers: headers() })

    expect(response.status).toBe(status)
    expect(await kept()).toHaveLength(status === 200 ? 1 : 0)
  })

  it('is counted while it comes in pieces, and refused when it is too long', async () => {
    const app = appOn(database, { environment: webhookEnvironment })
    const pieces = new ReadableStream({
      start(controller) {
        for (let piece = 0; piece < 300; piece += 1) controller.enqueue(Buffer.alloc(1024, 'x'))
        controller.close()
      },
    })

    const response = await app.request(
      new Request('http://localhost/webhooks/resend', { method: 'POST', body: pieces, duplex: 'half' }),
    )

    expect(response.status).toBe(413)
  })

  it('is asked for again while no secret is set, and the operator is told', async () => {
    const lines: string[] = []
    const log = pino({ level: 'error' }, { write: (line) => void lines.push(line) })
    const app = appOn(database, { log })

    const responses = [await send(app, body), await send(app, body)]

    expect(responses.map(({ status }) => status)).toEqual([503, 503])
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('RESEND_WEBHOOK_SECRET')
    expect(await kept()).toEqual([])
  })

  it('leaves no address in the log, whatever is wrong with it', async () => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) })
    const app = appOn(database, { log, environment: webhookEnvironment })
    const unreadable = '{"type":"email.sent","data":{"to":["ann@example.test"]}}'

    await app.request('/webhooks/resend', {
      method: 'POST',
      body,
      headers: { 'svix-id': 'ann@example.test' },
    })
    await app.request('/webhooks/resend', {
      method: 'POST',
      body: unreadable,
      headers: signedHeaders(unreadable),
    })

    expect(lines).toHaveLength(2)
    expect(lines.join('')).not.toContain('ann@')
  })

  it('may say what PostgreSQL cannot keep', async () => {
    const app = appOn(database, { environment: webhookEnvironment })
    const odd = String.raw`{"type":"moon.rose","data":{"a\u0000":"\u0000 \ud800 \ud83c\udf15 \\u0000"}}`

    const response = await app.request('/webhooks/resend', {
      method: 'POST',
      body: odd,
      headers: signedHeaders(odd),
    })

    expect(response.status).toBe(200)
    const [row] = await database.db.selectFrom('provider_event').select('body').execute()
    expect(row?.body).toMatchObject({ data: { 'a\ufffd': '\ufffd \ufffd 🌕 \\u0000' } })
  })
})

describe('a webhook that comes twice', () => {
  it('is one event with one effect, also when both come at the same moment', async () => {
    await people.ann(database.db)
    const sent = await sentIssue()
    const app = appOn(database, { environment: webhookEnvironment })
    const event = mailEvent('complained', await mailTo('ann'))

    const responses = await Promise.all(Array.from({ length: 8 }, () => deliverEvent(app, event)))
    await applyEvents(sent.deps)
    await deliverEvent(app, event)
    await applyEvents(sent.deps)

    expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(await kept()).toHaveLength(1)
    expect(await counts()).toMatchObject([{ complained: 1, delivered: 0 }])
    const left = await database.db.selectFrom('consent_event').select(['kind', 'method']).execute()
    expect(left).toEqual([
      { kind: 'imported', method: 'by hand' },
      { kind: 'unsubscribed', method: 'complaint' },
    ])
  })

  it('wakes a worker once it is committed', async () => {
    const woken: string[] = []
    const app = appOn(database, { environment: webhookEnvironment }, (job) => void woken.push(job))

    await deliverEvent(app, mailEvent('delivered', { emailId: 'e1', to: 'ann@example.test' }))

    expect(woken).toEqual(['take-in-events'])
    expect(await kept()).toHaveLength(1)
  })
})

describe('who is suppressed', () => {
  it.each([
    ['a hard bounce', 'bounced', bounces.hard, 'bounced'],
    ['a complaint', 'complained', {}, 'complained'],
    ['a suppression after a bounce', 'suppressed', { suppressed: { reason: 'previous_bounce' } }, 'bounced'],
    [
      'a suppression after a complaint',
      'suppressed',
      { suppressed: { reason: 'previous_complaint' } },
      'complained',
    ],
    ['a suppression by hand', 'suppressed', { suppressed: { type: 'Suppressed' } }, 'by hand'],
    ['one soft bounce', 'bounced', bounces.soft, undefined],
    ['an unclear bounce', 'bounced', bounces.unclear, undefined],
    ['a delay', 'delivery_delayed', {}, undefined],
    ['a failure', 'failed', { failed: { reason: 'quota' } }, undefined],
    ['an arrival', 'delivered', {}, undefined],
  ])('after %s', async (_what, type, more, reason) => {
    await people.ann(database.db)
    await sentIssue()

    await tell(mailEvent(type, await mailTo('ann'), more))

    expect(await suppressed()).toEqual(reason ? [{ address: 'ann@example.test', reason }] : [])
  })

  it.each<[string, (mail: KnownMail) => KnownMail]>([
    ['a mail of somebody else', () => ({ emailId: 'theirs', to: 'ann@example.test' })],
    ['an id of ours, to another address', ({ emailId }) => ({ emailId, to: 'bob@example.test' })],
    ['tags of ours, to another address', (mail) => ({ ...mail, to: 'bob@example.test' })],
    ['a batch that we never made', (mail) => retagged(mail, { batch: crypto.randomUUID() })],
    ['a reader that we never had', (mail) => retagged(mail, { delivery: crypto.randomUUID() })],
    ['a letter that we never wrote', (mail) => ({ ...mail, tags: { letter: crypto.randomUUID() } })],
  ])('nobody, by a complaint about %s', async (_what, change) => {
    await people.ann(database.db)
    await people.bob(database.db)
    await sentIssue()

    await tell(mailEvent('complained', change(await mailTo('ann'))))

    expect(await suppressed()).toEqual([])
    expect(await counts()).toEqual([])
    expect(await kept()).toHaveLength(1)
  })

  it('is found by the provider’s id where the tags are missing', async () => {
    await people.ann(database.db)
    await people.bob(database.db)
    const { issue } = await sentIssue()
    const { emailId, to } = await mailTo('bob')

    await tell(mailEvent('bounced', { emailId, to: to.toUpperCase() }, bounces.hard))

    expect(await suppressed()).toEqual([{ address: 'bob@example.test', reason: 'bounced' }])
    expect(await counts()).toMatchObject([{ issue_id: issue.id, bounced_hard: 1 }])
    const [evidence] = await eventsAbout(database.db, await batchOf('bob'))
    expect(evidence).toMatchObject({ emailId, type: 'email.bounced' })
  })

  it('is the reader of a letter that bounced, and no other', async () => {
    const ann = await people.ann(database.db)
    const due = await plannedIssue(database)
    const letterId = await database.db
      .transaction()
      .execute((trx) => postLetter(trx, due.deps, { subscriberId: ann.id, kind: 'welcome' }))
    const tags = { letter: letterId, kind: 'welcome' }

    await tell(mailEvent('bounced', { emailId: 'l1', to: 'bob@example.test', tags }, bounces.hard))
    expect(await suppressed()).toEqual([])
    await tell(mailEvent('bounced', { emailId: 'l1', to: 'ann@example.test', tags }, bounces.hard))

    expect(await suppressed()).toEqual([{ address: 'ann@example.test', reason: 'bounced' }])
    const letter = await database.db.selectFrom('letter').select(['feedback']).executeTakeFirst()
    expect(letter).toEqual({ feedback: 'bounced hard' })
  })
})

describe('what is kept of an event', () => {
  it('has neither the address nor the links of the mail, where a tag says whose it is', async () => {
    await people.ann(database.db)
    await sentIssue()

    await tell(mailEvent('delivered', await mailTo('ann')))

    const [row] = await database.db.selectFrom('provider_event').select('body').execute()
    expect(row?.body).toMatchObject({ type: 'email.delivered', data: { subject: 'Week 47' } })
    expect(JSON.stringify(row?.body)).not.toMatch(/ann@|secret-token/)
  })

  it.each(['with tags', 'without tags'])(
    'does not bring an erased reader’s address back, %s',
    async (how) => {
      const ann = await people.ann(database.db)
      const { deps } = await sentIssue()
      const { tags = {}, ...mail } = await mailTo('ann')
      await eraseReader(deps, ann.publicId, 'by hand')

      await tell(
        mailEvent('bounced', how === 'with tags' ? { ...mail, tags } : mail, {
          bounce: { type: 'Permanent', message: 'no mailbox ann@example.test' },
        }),
      )

      expect(await tablesWith(database.db, 'ann@example.test')).toEqual([])
      expect(await kept()).toHaveLength(1)
    },
  )

  it('loses its body when its reader was erased while it came in', async () => {
    const ann = await people.ann(database.db)
    const { deps } = await sentIssue()
    const mail = await mailTo('ann')
    const app = appOn(database, { environment: webhookEnvironment })
    await deliverEvent(
      app,
      mailEvent('bounced', mail, { bounce: { type: 'Permanent', message: 'ann@example.test' } }),
    )
    const [row] = await database.db.selectFrom('provider_event').selectAll().execute()
    await eraseReader(deps, ann.publicId, 'by hand')
    await database.db
      .updateTable('provider_event')
      .set({ body: JSON.stringify(row?.body) })
      .execute()

    await applyEvents(deps)

    expect(await tablesWith(database.db, 'ann@example.test')).toEqual([])
  })
})

function send(app: ReturnType<typeof appOn>, body: string) {
  return app.request('/webhooks/resend', { method: 'POST', body, headers: signedHeaders(body) })
}

/** Delivers an event to the web side, and applies it. */
async function tell(event: ReturnType<typeof mailEvent>): Promise<void> {
  const app = appOn(database, { environment: webhookEnvironment })
  expect((await deliverEvent(app, event)).status).toBe(200)
  const { clock, deps } = last()
  await applyEvents({ ...deps, clock })
}

let latest: DueIssue | undefined
function last(): DueIssue {
  if (!latest) throw new Error('Nothing was sent yet')
  return latest
}

async function sentIssue(): Promise<DueIssue> {
  latest = await plannedIssue(database)
  await deliverIssue(latest.deps, latest.issue.id)
  return latest
}

/** A reader's mail of the issue, as the provider knows it. */
async function mailTo(name: string): Promise<KnownMail> {
  const row = await database.db
    .selectFrom('delivery_state as d')
    .innerJoin('subscriber as s', 's.id', 'd.subscriber_id')
    .select(['d.batch_id', 'd.provider_id', 's.public_id', 'd.address'])
    .where('d.address', '=', `${name}@example.test`)
    .executeTakeFirstOrThrow()
  const tags = { issue: '2026-W47', batch: row.batch_id ?? '', delivery: row.public_id }
  return { emailId: row.provider_id ?? '', to: row.address ?? '', tags }
}

function retagged(mail: KnownMail, tags: Record<string, string>): KnownMail {
  return { ...mail, tags: { ...mail.tags, ...tags } }
}

async function batchOf(name: string): Promise<string> {
  return (await mailTo(name)).tags?.batch ?? ''
}

function kept() {
  return database.db.selectFrom('provider_event').select(['type', 'svix_id']).execute()
}

function counts() {
  return database.db.selectFrom('issue_feedback').selectAll().execute()
}

function suppressed() {
  return database.db.selectFrom('suppression').select(['address', 'reason']).orderBy('address').execute()
}

function twice(headers: Record<string, string>) {
  const other = signedHeaders('other')['svix-signature']
  return { ...headers, 'svix-signature': `${other} ${headers['svix-signature']}` }
}

function junkBehind(headers: Record<string, string>) {
  return { ...headers, 'svix-timestamp': `${headers['svix-timestamp']}junk` }
}

function otherScheme(headers: Record<string, string>) {
  return { ...headers, 'svix-signature': headers['svix-signature']?.replace('v1,', 'v2,') ?? '' }
}

function withoutComma(headers: Record<string, string>) {
  return { ...headers, 'svix-signature': headers['svix-signature']?.replace(',', '') ?? '' }
}
