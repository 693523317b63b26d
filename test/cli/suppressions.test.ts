import { describe, expect, it, onTestFinished } from 'vitest'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { postLetter } from '../../src/subscriber/letter.ts'
import { useCommandLine } from '../setup/cli.ts'
import { clockAt } from '../setup/clock.ts'
import { friday } from '../setup/delivery.ts'
import { bounces, mailEvent } from '../setup/events.ts'
import { type FakeSuppressions, recordedEvent, startFakeSuppressions } from '../setup/fake-suppressions.ts'
import { testKeys } from '../setup/newsletter.ts'

const verdict = useCommandLine()
const signing = { SIGNING_KEYS: `k1:${testKeys[0]?.secret.toString('base64')}` }

async function account(options: { refusals?: number; key?: string } = {}) {
  const fake = await startFakeSuppressions(options)
  onTestFinished(fake.close)
  const { key = 're_full' } = options
  return { fake, env: { ...signing, RESEND_FULL_ACCESS_KEY: key, RESEND_BASE_URL: fake.url } }
}

describe('suppressions', () => {
  it('are added, listed and lifted; a complaint only with --yes', async () => {
    const added = await verdict.run(['suppressions', 'add', 'Ann@Example.test'])
    const again = await verdict.run(['suppressions', 'add', 'ann@example.test', '--json'])
    await verdict.withDatabase(({ db }) =>
      db
        .insertInto('suppression')
        .values({ address: 'bob@example.test', reason: 'complained', since: Temporal.Instant.from(friday) })
        .execute(),
    )
    const listed = await verdict.run(['suppressions', 'list'])
    const lifted = await verdict.run(['suppressions', 'remove', 'ann@example.test'])
    const careless = await verdict.run(['suppressions', 'remove', 'bob@example.test'])
    const careful = await verdict.run(['suppressions', 'remove', 'bob@example.test', '--yes', '--json'])
    const unknown = await verdict.run(['suppressions', 'remove', 'cleo@example.test'])

    expect(added).toMatchObject({ code: 0, stdout: 'ann@example.test is never mailed again.\n' })
    expect(again.json).toEqual({ address: 'ann@example.test', outcome: 'already suppressed' })
    expect(listed.stdout.split('\n')).toEqual([
      expect.stringMatching(/^ann@example\.test {2}by hand {2}since 2/),
      'bob@example.test  complained  since 2026-11-20T14:00:00Z',
      '2 suppressed.',
      '',
    ])
    expect(lifted.stdout).toContain('ann@example.test (by hand) is suppressed no more.')
    expect(careless).toMatchObject({ code: 2, stdout: '' })
    expect(careless.stderr).toContain('Say --yes')
    expect(careful.json).toMatchObject({ outcome: 'removed', reason: 'complained', atResend: 'not asked' })
    expect(unknown).toMatchObject({ code: 1 })
    expect(await reasons()).toEqual({})
  })

  it('are brought together with Resend’s, both ways; the second time nothing is left to do', async () => {
    const { fake, env } = await account({ refusals: 1 })
    for (let n = 0; n < 250; n += 1) fake.list.set(`theirs-${n}@example.test`, n < 2 ? 'complaint' : 'bounce')
    fake.list.set('BOTH@example.test', 'complaint')
    fake.list.set('not an address', 'manual')
    const since = Temporal.Instant.from(friday)
    await verdict.run(['migrate'])
    await verdict.withDatabase(({ db }) =>
      db
        .insertInto('suppression')
        .values([
          { address: 'both@example.test', reason: 'by hand', since },
          ...Array.from({ length: 130 }, (_, n) => ({
            ...{ address: `ours-${n}@example.test`, reason: 'bounced' as const, since },
          })),
        ])
        .execute(),
    )
    const before = new Map(fake.list)

    const rehearsed = await verdict.run(['suppressions', 'sync', '--dry-run', '--json'], { env })
    expect(rehearsed.json).toMatchObject({ added: 250, strengthened: 1, left: 1, pushed: 130, dryRun: true })
    expect(fake.list).toEqual(before)
    expect(Object.keys(await reasons())).toHaveLength(131)

    const synced = await verdict.run(['suppressions', 'sync', '--json'], { env })
    const again = await verdict.run(['suppressions', 'sync', '--json'], { env })

    expect(synced).toMatchObject({ code: 0, json: { theirs: 252, added: 250, strengthened: 1, pushed: 130 } })
    expect(again.json).toMatchObject({ theirs: 382, added: 0, strengthened: 0, pushed: 0 })
    const ours = await reasons()
    expect(Object.keys(ours)).toHaveLength(381)
    expect(ours).toMatchObject({
      ...{ 'theirs-1@example.test': 'complained', 'theirs-2@example.test': 'bounced' },
      ...{ 'both@example.test': 'complained', 'ours-7@example.test': 'bounced' },
    })
    expect(fake.list.get('ours-7@example.test')).toBe('manual')
    expect(fake.asked.filter((call) => call.startsWith('POST'))).toHaveLength(2)
  })

  it('do not bring back the address of a reader who was erased', async () => {
    const { fake, env } = await account()
    fake.list.set('eve@example.test', 'bounce')
    await verdict.run(['subscribers', 'add', 'eve@example.test', '--consent', 'a test'], { env })
    await verdict.withDatabase(async ({ db }) => {
      const { public_id } = await readerAt(db, 'eve@example.test')
      await eraseReader({ db, keys: testKeys, clock: clockAt(friday) }, public_id, 'by hand')
    })

    const synced = await verdict.run(['suppressions', 'sync', '--json'], { env })

    expect(synced.json).toMatchObject({ added: 0, left: 1 })
    expect(await reasons()).not.toHaveProperty('eve@example.test')
  })

  it('are lifted at Resend too, where the key is there for it', async () => {
    const { fake, env } = await account()
    fake.list.set('dan@example.test', 'bounce')
    await verdict.run(['suppressions', 'add', 'dan@example.test'], { env })

    const lifted = await verdict.run(['suppressions', 'remove', 'dan@example.test', '--json'], { env })

    expect(lifted.json).toMatchObject({ outcome: 'removed', atResend: 'removed' })
    expect(fake.list).not.toContain('dan@example.test')
    expect(fake.list.has('dan@example.test')).toBe(false)
  })

  it('say what is wrong when Resend cannot be asked', async () => {
    const { env } = await account({ key: 're_sending' })
    const away = { ...signing, RESEND_FULL_ACCESS_KEY: 're_full', RESEND_BASE_URL: 'http://127.0.0.1:9' }

    const none = await verdict.run(['suppressions', 'sync'])
    const weak = await verdict.run(['suppressions', 'sync'], { env })
    const silent = await verdict.run(['suppressions', 'sync'], { env: away })
    const real = await verdict.run(['suppressions', 'sync'], { env: { RESEND_FULL_ACCESS_KEY: 're_full' } })

    expect([none.code, weak.code, silent.code, real.code]).toEqual([1, 1, 1, 1])
    expect(none.stderr).toContain('RESEND_FULL_ACCESS_KEY is not set')
    expect(weak.stderr).toContain('this key may only send')
    expect(silent.stderr).toContain('Resend did not tell')
    expect(real.stderr).toContain('opens a real account')
  })
})

describe('events replay', () => {
  const env = { PUBLIC_URL: 'https://news.example.com' }

  it('takes in what the webhook missed, gives it its effect, and leaves the rest', async () => {
    const { fake, env: keys } = await account()
    const letter = await aLetterTo('gus@example.test')
    const mail = { emailId: 'l1', to: 'gus@example.test', tags: { letter, kind: 'welcome' } }
    const missed = mailEvent('bounced', mail, { ...bounces.hard, at: '2026-11-20T10:00:00Z' })
    const older = mailEvent('complained', mail, { at: '2026-11-01T10:00:00Z' })
    ourWebhook(fake)
    fake.events.push(
      recordedEvent(missed.document, '2026-11-20T10:00:00Z'),
      recordedEvent({ type: 'email.sent' }, '2026-11-20T09:00:00Z'),
      recordedEvent(older.document, '2026-11-01T10:00:00Z'),
    )
    const since = ['--since', '2026-11-15T00:00:00Z']

    const replayed = await verdict.run(['events', 'replay', ...since, '--json'], { env: { ...keys, ...env } })
    const again = await verdict.run(['events', 'replay', ...since, '--json'], { env: { ...keys, ...env } })

    expect(replayed.json).toMatchObject({ recorded: 2, missed: 1, unreadable: 1, applied: { suppressed: 1 } })
    expect(replayed.code).toBe(1)
    expect(again.json).toMatchObject({ recorded: 2, missed: 0, applied: { events: 0 } })
    expect(await reasons()).toMatchObject({ 'gus@example.test': 'bounced' })
  })

  it('says so when no webhook leads here, or several do', async () => {
    const { fake, env: keys } = await account()
    fake.webhooks.push({ id: 'other', endpoint: 'https://elsewhere.example.com/webhooks/resend' })

    const none = await verdict.run(['events', 'replay'], { env: { ...keys, ...env } })
    ourWebhook(fake)
    ourWebhook(fake)
    const several = await verdict.run(['events', 'replay'], { env: { ...keys, ...env } })

    expect(none).toMatchObject({ code: 1 })
    expect(none.stderr).toContain(
      'No webhook of this Resend account leads to https://news.example.com/webhooks',
    )
    expect(several.stderr).toContain('--webhook (hook-1, hook-2)')
  })
})

function ourWebhook({ webhooks }: FakeSuppressions): void {
  webhooks.push({ id: `hook-${webhooks.length}`, endpoint: 'https://news.example.com/webhooks/resend' })
}

async function aLetterTo(address: string): Promise<string> {
  await verdict.run(['subscribers', 'add', address, '--consent', 'a test'])
  return verdict.withDatabase(async ({ db }) => {
    const { id } = await readerAt(db, address)
    return db
      .transaction()
      .execute((trx) =>
        postLetter(trx, { clock: clockAt(friday), keys: testKeys }, { subscriberId: id, kind: 'welcome' }),
      )
  })
}

type Db = Parameters<Parameters<typeof verdict.withDatabase>[0]>[0]['db']

function readerAt(db: Db, address: string) {
  return db
    .selectFrom('subscriber')
    .select(['id', 'public_id'])
    .where('address', '=', address)
    .executeTakeFirstOrThrow()
}

async function reasons(): Promise<Record<string, string>> {
  const rows = await verdict.withDatabase(({ db }) =>
    db.selectFrom('suppression').select(['address', 'reason']).where('address', 'is not', null).execute(),
  )
  return Object.fromEntries(rows.map(({ address, reason }) => [address ?? '', reason]))
}
