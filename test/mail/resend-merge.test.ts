import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Mail, Merge } from '../../src/mail/email.ts'
import { resendTransport } from '../../src/mail/resend.ts'
import { type Fault, startFakeProvider } from '../setup/fake-provider.ts'
import { sampleMail } from '../setup/sample-mail.ts'

const key = 'wv1/2026-W47/batch-1/1'
const marks = ['addressmark', 'leavemark', 'readermark']

/** A pattern with every mark in several places, in text that JSON has to escape. */
const pattern = patternWith({ to: 'addressmark', leave: 'leavemark', reader: 'readermark' })

describe('one mail to many', () => {
  it('is posted as the very bytes that Resend’s client would post for the same mails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(readerValues(), { minLength: 1, maxLength: 100 }),
        fc.string({ unit: 'grapheme', maxLength: 40_000 }),
        async (readers, padding) => {
          const [ours, theirs] = [await wiretap(), await wiretap()]
          const merge: Merge = { pattern: { ...pattern, html: pattern.html + padding }, marks }
          const mails = readers.map((values) => ({
            ...filled(values),
            html: filled(values).html + padding,
          }))

          await transport(ours.url).merge?.(merge)(readers, key)
          await transport(theirs.url).send(mails, key)

          expect(ours.seen).toEqual(theirs.seen)
          await Promise.all([ours.close(), theirs.close()])
        },
      ),
      { numRuns: 25 },
    )
  })

  it('is the same JSON where an address is not plain ASCII', async () => {
    const { provider, merge } = await provided()
    const values = ['jörg"\\@exämple.test', 'token', 'reader-1']

    await merge([values], key)

    expect(provider.accepted).toMatchObject([{ to: 'jörg"\\@exämple.test' }])
  })

  it('has these bytes for ever: another order or escape would make a repeated call another call', async () => {
    const tap = await wiretap()
    const readers = [
      ['ann@example.test', 'token-of-ann', 'reader-1'],
      ['bob@example.test', 'token-of-bob', 'reader-2'],
    ]

    await transport(tap.url).merge?.({ pattern, marks })(readers, key)

    await expect(tap.seen[0]?.body).toMatchFileSnapshot('golden/batch-of-two.txt')
    await tap.close()
  })

  it.each<[string, Fault[]]>([
    ['nothing goes wrong', []],
    ['the answer is cut short', [{ kind: 'truncated' }]],
    ['a proxy answers with a page', [{ kind: 'html' }]],
    ['there are fewer ids than mails', [{ kind: 'fewer-ids' }]],
    ['the server fails before', [{ kind: '500-before' }]],
    ['the server fails after', [{ kind: '500-after' }]],
    ['the connection is reset before', [{ kind: 'reset-before' }]],
    ['the connection is reset after', [{ kind: 'accept-and-reset' }]],
    ['the rate is exceeded', [{ kind: 'rate-limit', retryAfter: 7 }]],
    ['the quota is used up', [{ kind: 'quota' }]],
    ['the first call still runs', [{ kind: 'concurrent' }]],
    ['the key is unknown', [{ kind: '401' }]],
    ['the domain is not verified', [{ kind: '403' }]],
    ['the path is unknown', [{ kind: '404' }]],
    ['a mail is refused', [{ kind: '422' }]],
    ['the account is stopped', [{ kind: '451' }]],
    ['it is sent elsewhere', [{ kind: 'redirect' }]],
  ])('comes to what the client’s call comes to when %s', async (_, faults) => {
    const [ours, theirs] = [await provided(...faults), await provided(...faults)]
    const readers = [
      ['ann@example.test', 'a', 'reader-1'],
      ['bob@example.test', 'b', 'reader-2'],
    ]

    const mine = await ours.merge(readers, key)
    const clients = await theirs.send(readers.map(filled), key)

    // A redirect is no answer to the client, which loses its headers with it.
    const { reason: said, providerIds: mineIds, perSecond: _mine, ...mineRest } = plain(mine)
    const { reason: heard, providerIds: clientsIds, perSecond: _theirs, ...clientsRest } = plain(clients)
    expect(mineRest).toEqual(clientsRest)
    expect([typeof said, mineIds?.length]).toEqual([typeof heard, clientsIds?.length])
    expect(ours.provider.accepted.map(({ to }) => to)).toEqual(theirs.provider.accepted.map(({ to }) => to))
  })

  it('waits and tries again where nobody took the connection: then nobody has the mail', async () => {
    const server = createServer()
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    await new Promise((closed) => server.close(closed))

    const outcome = await mergeAt(`http://127.0.0.1:${port}`)([['ann@example.test', 'a', 'r']], key)

    expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining('ECONNREFUSED') })
  })

  it('does not know what became of a call that takes too long', async () => {
    const { provider } = await provided({ kind: 'delay', ms: 1_500 })
    const impatient = resendTransport({ apiKey: 're_test', baseUrl: provider.url, timeoutMs: 200 })

    const outcome = await impatient.merge?.({ pattern, marks })([['ann@example.test', 'a', 'r']], key)

    expect(outcome).toMatchObject({ kind: 'unknown' })
  })

  it('refuses a pattern that could not be sent, before the first reader', () => {
    const broken = { ...pattern, subject: 'Week 47\r\nBcc: eve@example.test' }

    expect(() => transport('http://127.0.0.1:9').merge?.({ pattern: broken, marks })).toThrow('Subject')
    expect(() => transport('http://127.0.0.1:9').merge?.({ pattern, marks: [...marks, 'nowhere'] })).toThrow(
      'nowhere',
    )
  })

  it('never puts a line break of a value into the call', async () => {
    const { provider, merge } = await provided()

    const outcome = await merge([['ann@example.test\r\nBcc: eve@example.test', 'a', 'r']], key)

    expect(outcome).toMatchObject({ kind: 'rejected' })
    expect(provider.received).toEqual([])
  })
})

function plain(outcome: object): Record<string, unknown> & { providerIds?: readonly string[] } {
  return { ...outcome, ...('after' in outcome && { after: String(outcome.after) }) }
}

function patternWith({ to, leave, reader }: { to: string; leave: string; reader: string }): Mail {
  return sampleMail({
    to,
    subject: 'Claude 4 “Sonnet” vs SmolVLM2 · week 47',
    html: `<p class="a">Zoë’s\t“\u2028” <a href="https://x.example.test/${leave}">leave</a> ${'é'.repeat(50)}</p><a href="https://x.example.test/${leave}">again</a>`,
    text: `A line\nand another: https://x.example.test/${leave}\n`,
    headers: { 'List-Unsubscribe': `<https://x.example.test/${leave}>` },
    tags: { issue: '2026-W47', batch: 'b1', delivery: reader },
  })
}

function filled(values: readonly string[]): Mail {
  const [to = '', leave = '', reader = ''] = values
  return patternWith({ to, leave, reader })
}

function readerValues() {
  const word = fc.stringMatching(/^[A-Za-z0-9._-]{1,60}$/)
  const tag = fc.stringMatching(/^[A-Za-z0-9_-]{1,36}$/)
  return fc.tuple(word, word, tag).map(([name, token, id]) => [`${name}@example.test`, token, id])
}

function transport(baseUrl: string) {
  const opened = resendTransport({ apiKey: 're_test', baseUrl, timeoutMs: 10_000 })
  onTestFinished(() => opened.close())
  return opened
}

function mergeAt(url: string) {
  const merge = transport(url).merge?.({ pattern, marks })
  if (!merge) throw new Error('Resend’s transport merges')
  return merge
}

async function provided(...faults: Fault[]) {
  const provider = await startFakeProvider({ faults })
  onTestFinished(() => provider.close())
  return { provider, merge: mergeAt(provider.url), send: transport(provider.url).send }
}

/** Takes down what arrives, as it arrives. */
async function wiretap() {
  const seen: { method: string; url: string; headers: unknown; body: string; sha256: string }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const body = Buffer.concat(chunks)
    const { accept, authorization, 'content-type': type, 'user-agent': agent, ...rest } = request.headers
    const { 'idempotency-key': idempotency, 'x-batch-validation': validation } = rest
    seen.push({
      ...{ method: request.method ?? '', url: request.url ?? '', body: body.toString() },
      headers: { accept, authorization, type, agent, idempotency, validation },
      sha256: createHash('sha256').update(body).digest('hex'),
    })
    response.end('{"data":[]}')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const close = () =>
    new Promise<void>((closed) => server.close(() => closed()) && server.closeAllConnections())
  return { seen, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
