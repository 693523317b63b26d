import { sql } from 'kysely'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { resendTransport } from '../../src/mail/resend.ts'
import { useCommandLine } from '../setup/cli.ts'
import { clockAt } from '../setup/clock.ts'
import { drafted } from '../setup/drafted.ts'
import { startFakeAccount } from '../setup/fake-account.ts'
import { type FakeProvider, startFakeProvider } from '../setup/fake-provider.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const verdict = useCommandLine()
const week = '2099-W10'
const anotherWeek = '2099-W11'

beforeAll(() =>
  verdict.withDatabase(async ({ db }) => {
    await drafted(db, week)
    await people.crowd(db, 3)
  }),
)

describe('an issue of which a mail was refused, on the command line', () => {
  it('is partly sent, says what can be done, and is sent once that is done', async () => {
    const provider = await providerThat({ refuses: (address) => address.includes('000002') })
    const env = sendingTo(provider)

    const sent = await verdict.run(['send', week, '--now'], { env })
    const proof = await verdict.run(['reconcile', week])
    const mended = await providerThat({})
    const again = await verdict.run(['send', week, '--retry-failed', '--json'], { env: sendingTo(mended) })
    const nothingLeft = await verdict.run(['send', week, '--retry-failed'], { env: sendingTo(mended) })

    expect(sent).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`verdict send ${week} --retry-failed`),
    })
    expect(proof.stdout).toMatch(/planned +3\n +accepted +2\n +rejected +1 .*\n.*\n.*\n +not yet sent +0/)
    expect(again).toMatchObject({ code: 0, json: { state: 'sent', accepted: 3, rejected: 0 } })
    expect(nothingLeft).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is sent: 3 planned = 3 accepted'),
    })
    expect([...provider.accepted, ...mended.accepted].map(({ to }) => to).toSorted()).toEqual([
      'reader-000001@example.test',
      'reader-000002@example.test',
      'reader-000003@example.test',
    ])
  })

  it('is not tried again before it exists or where the week is none', async () => {
    const unknown = await verdict.run(['send', '2099-W40', '--retry-failed'])
    const bad = await verdict.run(['send', 'next week', '--retry-failed'])

    expect(unknown).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('There is no issue for 2099-W40'),
    })
    expect(bad.code).toBe(2)
  })
})

describe('a batch in quarantine, on the command line', () => {
  it('is listed, shown, proved by Resend’s log, and confirmed', async () => {
    const provider = await providerThat({ faults: [{ kind: 'accept-and-reset' }] })
    const batch = await quarantined(provider)
    const account = await startFakeAccount(() => provider.accepted)
    onTestFinished(() => account.close())
    const env = { ...sendingTo(provider), RESEND_FULL_ACCESS_KEY: 're_full', RESEND_BASE_URL: account.url }

    const listed = await verdict.run(['quarantine', 'list', anotherWeek])
    const blind = await verdict.run(['quarantine', 'resend', batch.slice(0, 8)])
    const differs = await verdict.run(['reconcile', anotherWeek, '--provider', '--json'], { env })
    const shown = await verdict.run(['quarantine', 'show', batch], { env })
    const confirmed = await verdict.run(['quarantine', 'confirm', batch], { env })
    const agrees = await verdict.run(['reconcile', anotherWeek, '--provider'], { env })

    expect(listed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${batch}  3 readers, no evidence`),
    })
    expect(blind).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/get it twice(?:.|\n)*--yes\nNothing was changed/),
    })
    expect(differs).toMatchObject({ code: 1, json: { provider: { listed: 3 } } })
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('its log has the call') })
    expect(confirmed).toMatchObject({ code: 0, stdout: expect.stringContaining(`${anotherWeek} is sent`) })
    expect(agrees).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Resend lists the same mails: 3.'),
    })
    const [decision] = await verdict.withDatabase(({ db }) =>
      db.selectFrom('decision').select(['by', 'what']).where('batch_id', '=', batch).execute(),
    )
    expect(decision).toEqual({ by: expect.stringMatching(/./), what: 'confirm' })
  })

  it('is asked for by an id: bad ones are bad usage, unknown ones fail', async () => {
    const bad = await verdict.run(['quarantine', 'show', 'the first one'])
    const unknown = await verdict.run(['quarantine', 'show', 'abcdef01'])
    const empty = await verdict.run(['quarantine', 'list', '--json'])

    expect([bad.code, unknown.code]).toEqual([2, 1])
    expect(unknown.stderr).toContain('There is no batch abcdef01')
    expect(empty).toMatchObject({ code: 0, json: { batches: [] } })
  })
})

describe('verdict reconcile --provider', () => {
  it('says which key it needs, and what is wrong with the one it has', async () => {
    const account = await startFakeAccount(() => [])
    onTestFinished(() => account.close())

    const without = await verdict.run(['reconcile', week, '--provider'])
    const wrong = await verdict.run(['reconcile', week, '--provider'], {
      env: { RESEND_FULL_ACCESS_KEY: 're_sending', RESEND_BASE_URL: account.url },
    })

    expect(without).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('RESEND_FULL_ACCESS_KEY is not set'),
    })
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('may only send') })
  })
})

describe('a database whose ledger is behind, on the command line', () => {
  it('is told of by status and doctor, and does not send', async () => {
    await verdict.withDatabase(async ({ db }) => {
      await drafted(db, '2099-W12')
      await sql`delete from attempt`.execute(db)
    })

    const [status, doctor] = [await verdict.run(['status']), await verdict.run(['doctor'])]
    const refused = await verdict.run(['send', '2099-W12', '--now'])
    const asked = await verdict.run(['adopt-database'])

    expect(status.stdout).toMatch(/^Nothing is sent: This database is behind/)
    expect(doctor.stdout).toContain('fail  ledger: This database is behind')
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining('verdict adopt-database') })
    expect(asked).toMatchObject({ code: 1, stdout: expect.stringContaining('Nothing was changed') })
  })

  it('is adopted, and sends once its issue is released', async () => {
    const adopted = await verdict.run(['adopt-database', '--yes', '--json'])
    const held = await verdict.run(['send', '2099-W12', '--now'])
    await verdict.run(['release', '2099-W12'])
    const sent = await verdict.run(['send', '2099-W12', '--now'])
    const again = await verdict.run(['adopt-database'])

    expect(adopted).toMatchObject({ code: 0, json: { adopted: true, parked: ['2099-W12'] } })
    expect(held).toMatchObject({ code: 1, stdout: expect.stringContaining('verdict release 2099-W12') })
    expect(sent.code).toBe(0)
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('it may send') })
  })
})

async function providerThat(options: Parameters<typeof startFakeProvider>[0]): Promise<FakeProvider> {
  const provider = await startFakeProvider(options)
  onTestFinished(() => provider.close())
  return provider
}

function sendingTo({ url }: FakeProvider): Record<string, string> {
  return { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: url }
}

/** The other week, sent once; its answer was lost, and a day passed before anybody asked again. */
async function quarantined(provider: FakeProvider): Promise<string> {
  return verdict.withDatabase(async ({ db }) => {
    await drafted(db, anotherWeek)
    const clock = clockAt(Temporal.Now.instant().toString())
    const transport = resendTransport({ apiKey: 're_test', baseUrl: provider.url })
    const deps = newsletterWith({ db }, { clock, transport: { ...transport, concurrency: 1 } })
    const stop = new AbortController()
    const onProgress = () => stop.abort()
    await sendIssue({ ...deps, onProgress }, anotherWeek, { early: true, stop: stop.signal })
    clock.pass('PT24H')
    await sendIssue(deps, anotherWeek)
    const batch = await db
      .selectFrom('batch')
      .select('id')
      .where('state', '=', 'quarantined')
      .executeTakeFirstOrThrow()
    return batch.id
  })
}
