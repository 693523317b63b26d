import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { resendTransport } from '../../src/mail/resend.ts'
import { classifyAnswer } from '../../src/mail/resend-answer.ts'
import { type Fault, startFakeProvider } from '../setup/fake-provider.ts'
import { sampleMail, sampleMails } from '../setup/sample-mail.ts'

const key = 'wv1/issue-47/batch-1/1'

afterEach(() => vi.unstubAllEnvs())

describe('sending through Resend', () => {
  it('gives each mail its id, in order', async () => {
    const { provider, resend } = await resendAt()

    const outcome = await resend.send(sampleMails(3), key)

    expect(outcome).toMatchObject({ kind: 'accepted', providerIds: provider.accepted.map(({ id }) => id) })
    expect(provider.accepted.map(({ to }) => to)).toEqual(sampleMails(3).map(({ to }) => to))
  })

  it('carries the key, the list headers and the tags', async () => {
    const { provider, resend } = await resendAt()

    await resend.send([sampleMail()], key)

    expect(provider.received[0]?.headers).toMatchObject({
      'idempotency-key': key,
      'x-batch-validation': 'strict',
      authorization: 'Bearer re_test',
      'user-agent': 'weekly-verdict',
    })
    expect(provider.accepted[0]).toMatchObject({
      headers: sampleMail().headers,
      tags: sampleMail().tags,
      key,
    })
  })

  it('sends nothing twice when the same call is repeated', async () => {
    const { provider, resend } = await resendAt()

    const first = await resend.send(sampleMails(2), key)
    const second = await resend.send(sampleMails(2), key)

    expect(second).toEqual(first)
    expect(provider.accepted).toHaveLength(2)
    expect(provider.received[0]?.sha256).toBe(provider.received[1]?.sha256)
  })

  it('learns the ids of a batch whose answer was lost', async () => {
    const { provider, resend } = await resendAt({ kind: 'accept-and-reset' })

    expect(await resend.send(sampleMails(2), key)).toMatchObject({ kind: 'unknown' })
    expect(await resend.send(sampleMails(2), key)).toMatchObject({
      kind: 'accepted',
      providerIds: provider.accepted.map(({ id }) => id),
    })
    expect(provider.accepted).toHaveLength(2)
  })

  it('keeps a full batch of full-sized mails within one call', async () => {
    const { provider, resend } = await resendAt()
    const mails = sampleMails(resend.most.mails).map((mail) => ({ ...mail, html: 'x'.repeat(38_000) }))

    expect(await resend.send(mails, key)).toMatchObject({ kind: 'accepted', providerIds: { length: 100 } })
    expect(provider.received[0]?.bytes).toBeLessThan(resend.most.bytes)
  })

  it('says that a batch is refused when one address is, and that none of it went', async () => {
    const provider = await startFakeProvider({ refuses: (address) => address.startsWith('reader-1@') })
    onTestFinished(() => provider.close())

    const outcome = await transport(provider.url).send(sampleMails(3), key)

    expect(outcome).toMatchObject({ kind: 'rejected', reason: expect.not.stringContaining('@') })
    expect(provider.accepted).toEqual([])
  })

  it('does not know what became of a call that takes too long', async () => {
    const { provider } = await resendAt({ kind: 'delay', ms: 1_500 })
    const impatient = resendTransport({ apiKey: 're_test', baseUrl: provider.url, timeoutMs: 200 })

    expect(await impatient.send(sampleMails(1), key)).toMatchObject({ kind: 'unknown' })
  })

  it('does not know what became of a call while the first one with its key still runs', async () => {
    const { provider, resend } = await resendAt({ kind: 'delay', ms: 200 })

    const [first, second] = await Promise.all([
      resend.send(sampleMails(1), key),
      resend.send(sampleMails(1), key),
    ])

    expect([first.kind, second.kind].toSorted()).toEqual(['accepted', 'unknown'])
    expect(provider.accepted).toHaveLength(1)
  })

  it('calls other bytes under a used key a conflict', async () => {
    const { provider, resend } = await resendAt()

    await resend.send(sampleMails(1), key)
    const outcome = await resend.send(sampleMails(2), key)

    expect(outcome).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(/^conflict:/) })
    expect(provider.accepted).toHaveLength(1)
  })

  it('does not follow a redirect with the readers on board', async () => {
    const { provider, resend } = await resendAt({ kind: 'redirect' })

    expect(await resend.send(sampleMails(1), key)).toMatchObject({ kind: 'unknown' })
    expect(provider.received).toHaveLength(1)
  })

  it('does not know whether a host that does not answer has the mail', async () => {
    expect(await transport('http://127.0.0.1:9').send(sampleMails(1), key)).toMatchObject({ kind: 'unknown' })
  })

  it.each([
    ['a line break in the key', sampleMail(), 'k\r\nX: 1'],
    ['a key that is too long', sampleMail(), 'k'.repeat(257)],
    ['no key', sampleMail(), ''],
    ['a key that is no header value', sampleMail(), 'schlüssel'],
    ['a line break in the subject', sampleMail({ subject: 'a\nb' }), key],
    ['a line break in a header', sampleMail({ headers: { 'List-Id': 'a\r\nBcc: b' } }), key],
    ['a line break in the name of a header', sampleMail({ headers: { 'A\r\nBcc': 'b' } }), key],
    ['a tag that Resend would refuse', sampleMail({ tags: { issue: 'week 47' } }), key],
  ])('rejects %s before a byte leaves', async (_, mail, idempotencyKey) => {
    const { provider, resend } = await resendAt()

    expect(await resend.send([mail], idempotencyKey)).toMatchObject({ kind: 'rejected' })
    expect(provider.received).toEqual([])
  })

  it('goes where it is told, not where the environment points', async () => {
    const elsewhere = await startFakeProvider()
    onTestFinished(() => elsewhere.close())
    vi.stubEnv('RESEND_BASE_URL', elsewhere.url)

    const { provider, resend } = await resendAt()
    await resend.send(sampleMails(1), key)

    expect(elsewhere.received).toEqual([])
    expect(provider.accepted).toHaveLength(1)
  })

  it('prints no address, even with the debug switch of the client set', async () => {
    vi.stubEnv('RESEND_DEBUG', 'true')
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { resend } = await resendAt({ kind: '422' })

    const outcome = await resend.send(sampleMails(1), key)

    expect(outcome).toMatchObject({ reason: expect.not.stringContaining('ann') })
    expect(printed).not.toHaveBeenCalled()
  })

  it('waits for what is under way before it closes', async () => {
    const { provider, resend } = await resendAt({ kind: 'delay', ms: 100 })

    void resend.send(sampleMails(1), key)
    await resend.close()

    expect(provider.accepted).toHaveLength(1)
  })
})

describe('what went wrong at Resend', () => {
  it.each<[Fault, string, number]>([
    [{ kind: 'fewer-ids' }, 'unknown', 2],
    [{ kind: 'rate-limit', retryAfter: 7 }, 'retry', 0],
    [{ kind: 'quota' }, 'halt', 0],
    [{ kind: 'concurrent' }, 'unknown', 0],
    [{ kind: '422' }, 'rejected', 0],
    [{ kind: '401' }, 'halt', 0],
    [{ kind: '403' }, 'halt', 0],
    [{ kind: '404' }, 'halt', 0],
    [{ kind: '451' }, 'halt', 0],
    [{ kind: '500-before' }, 'unknown', 0],
    [{ kind: '500-after' }, 'unknown', 2],
    [{ kind: 'reset-before' }, 'unknown', 0],
    [{ kind: 'accept-and-reset' }, 'unknown', 2],
    [{ kind: 'truncated' }, 'unknown', 2],
    [{ kind: 'html' }, 'unknown', 2],
  ])('%o is %s', async (fault, kind, accepted) => {
    const { provider, resend } = await resendAt(fault)

    expect(await resend.send(sampleMails(2), key)).toMatchObject({ kind })
    expect(provider.accepted).toHaveLength(accepted)
  })

  it('waits as long as it is asked to', async () => {
    const { resend } = await resendAt({ kind: 'rate-limit', retryAfter: 7 })

    const outcome = await resend.send(sampleMails(1), key)

    expect(outcome).toMatchObject({
      kind: 'retry',
      after: expect.toSatisfy((wait) => wait.total('seconds') === 7),
    })
  })
})

describe('an answer of Resend', () => {
  const named = (statusCode: number | null | undefined, name: string, message = 'no') => ({
    statusCode,
    name,
    message,
  })

  it.each([
    [400, 'validation_error', 'rejected'],
    [400, 'invalid_idempotency_key', 'halt'],
    [401, 'missing_api_key', 'halt'],
    [401, 'restricted_api_key', 'halt'],
    [403, 'invalid_api_key', 'halt'],
    [403, 'validation_error', 'halt'],
    [404, 'not_found', 'halt'],
    [405, 'method_not_allowed', 'halt'],
    [408, 'application_error', 'unknown'],
    [409, 'concurrent_idempotent_requests', 'unknown'],
    [409, 'invalid_idempotent_request', 'unknown'],
    [413, 'application_error', 'rejected'],
    [422, 'invalid_parameter', 'rejected'],
    [422, 'missing_required_field', 'rejected'],
    [422, 'invalid_attachment', 'rejected'],
    [422, 'a name nobody has heard of', 'rejected'],
    [422, 'invalid_from_address', 'halt'],
    [429, 'rate_limit_exceeded', 'retry'],
    [429, 'application_error', 'retry'],
    [429, 'daily_quota_exceeded', 'halt'],
    [429, 'monthly_quota_exceeded', 'halt'],
    [451, 'security_error', 'halt'],
    [500, 'application_error', 'unknown'],
    [500, 'internal_server_error', 'unknown'],
    [502, 'application_error', 'unknown'],
    [null, 'application_error', 'unknown'],
    [undefined, 'rate_limit_exceeded', 'retry'],
    [undefined, 'restricted_api_key', 'halt'],
    [undefined, 'validation_error', 'unknown'],
    [undefined, '', 'unknown'],
  ])('%s %s is %s', (status, name, kind) => {
    expect(classifyAnswer({ data: null, error: named(status, name), headers: null }, 1).kind).toBe(kind)
  })

  it.each([
    [null],
    ['a string'],
    [{}],
    [{ data: {} }],
    [{ data: [{ id: '' }] }],
    [{ data: [{}] }],
    [{ data: [] }],
  ])('without an id for the mail, such as %j, proves nothing', (data) => {
    expect(classifyAnswer({ data, error: null, headers: {} }, 1).kind).toBe('unknown')
  })

  it('takes the longer of two waits, and a second when it names none', () => {
    const waits = (headers: Record<string, string>) => {
      const outcome = classifyAnswer({ data: null, error: named(429, 'rate_limit_exceeded'), headers }, 1)
      return outcome.kind === 'retry' && outcome.after.total('seconds')
    }

    expect(waits({ 'retry-after': '2', 'ratelimit-reset': '3.2' })).toBe(4)
    expect(waits({ 'retry-after': 'Fri, 20 Nov 2026 14:00:00 GMT' })).toBe(1)
    expect(waits({})).toBe(1)
  })

  it('loses every address on its way into a reason', () => {
    const message = 'Invalid `to`: Ann <ann@example.test>, "a b"@example.test, x%40example.test\r\nnext line'

    const outcome = classifyAnswer(
      { data: null, error: named(422, 'validation_error', message), headers: null },
      1,
    )

    expect(outcome).toEqual({
      kind: 'rejected',
      reason: '422 validation_error: Invalid `to`: Ann <[address]>, [address] [address] next line',
    })
  })
})

async function resendAt(...faults: Fault[]) {
  const provider = await startFakeProvider({ faults })
  onTestFinished(() => provider.close())
  return { provider, resend: transport(provider.url) }
}

function transport(baseUrl: string) {
  return resendTransport({ apiKey: 're_test', baseUrl, timeoutMs: 10_000 })
}
