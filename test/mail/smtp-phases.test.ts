import { describe, expect, it, onTestFinished } from 'vitest'
import { standingClock } from '../../src/clock.ts'
import type { SendOutcome } from '../../src/mail/email.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { sampleMail } from '../setup/sample-mail.ts'
import { type Act, type Phase, startScriptedSmtp } from '../setup/scripted-smtp.ts'

const clock = standingClock(Temporal.Instant.from('2026-11-20T14:00:00Z'))
const lost: Act = { reset: true }
const first = sampleMail({ id: 'first' })
const second = sampleMail({ id: 'second' })

/*
 * What a connection that dies makes of the mail on it. `unknown` means that the mail may have been taken: it is put into
 * quarantine and never sent again by itself. `retry` promises that it was not: it may go again.
 */
type Row = readonly [when: string, phase: Phase, act: Act, kind: SendOutcome['kind'], arrived: number]

const table: readonly Row[] = [
  ['before the greeting', 'greeting', lost, 'retry', 0],
  ['after a 421 for a greeting', 'greeting', { say: '421 too busy\r\n', reset: true }, 'retry', 0],
  ['at EHLO', 'EHLO', lost, 'retry', 0],
  ['at MAIL FROM', 'MAIL', lost, 'retry', 0],
  ['at RCPT TO', 'RCPT', lost, 'retry', 0],
  ['at DATA, before the server says go ahead', 'DATA', lost, 'retry', 0],
  ['after half a go-ahead', 'DATA', { say: '35', reset: true }, 'retry', 0],
  ['after a 421 for DATA', 'DATA', { say: '421 closing\r\n', reset: true }, 'retry', 0],
  ['in the middle of the message', 'message', lost, 'unknown', 0],
  ['after the message, before any answer', 'dot', lost, 'unknown', 1],
  ['after half an answer', 'dot', { say: '25', reset: true }, 'unknown', 1],
  ['after the first line of an answer of two', 'dot', { say: '250-ok\r\n', reset: true }, 'unknown', 1],
  ['after a no', 'dot', { say: '554 not this\r\n', reset: true }, 'rejected', 1],
  ['after a 421 for the message', 'dot', { say: '421 closing\r\n', reset: true }, 'retry', 1],
  ['after a not now', 'dot', { say: '451 later\r\n', reset: true }, 'retry', 1],
  ['after the whole yes', 'dot', { say: '250 ok\r\n', reset: true }, 'accepted', 1],
]

describe.each([
  ['pipelined', true],
  ['command by command', false],
])('a new connection that dies, %s', (_, pipelining) => {
  it.each(table)('%s', async (_when, phase, act, kind, arrived) => {
    const { smtp, server } = await smtpTo((at) => (at === phase ? act : undefined), { pipelining })

    const outcome = await smtp.send([first], 'k')

    expect(outcome).toMatchObject({ kind })
    expect(server.messages).toHaveLength(arrived)
  })
})

describe.each([
  ['pipelined', true],
  ['command by command', false],
])('a kept connection that dies under its second mail, %s', (_, pipelining) => {
  const kept = table.filter(([, phase]) => phase !== 'greeting' && phase !== 'EHLO')

  it.each(kept)('%s', async (_when, phase, act, kind, arrived) => {
    let hasDied = false
    const { smtp, server } = await smtpTo(
      (at, taken) => {
        if (at !== phase || taken !== 1 || hasDied) return undefined
        hasDied = true
        return act
      },
      { pipelining },
    )

    const before = await smtp.send([first], 'k')
    const outcome = await smtp.send([second], 'k')

    expect(before).toMatchObject({ kind: 'accepted' })
    // Nothing of it had left: nodemailer sends it over another connection, once.
    const goesAgain = kind === 'retry' && phase !== 'dot'
    expect(outcome.kind).toBe(goesAgain ? 'accepted' : kind)
    expect(server.messages).toHaveLength(1 + (goesAgain ? 1 : arrived))
  })

  it('between two mails: the second goes over another', async () => {
    const { smtp, server } = await smtpTo(
      (at, taken) => (at === 'answered' && taken === 1 ? lost : undefined),
      { pipelining },
    )

    const outcomes = [await smtp.send([first], 'k'), await smtp.send([second], 'k')]

    expect(outcomes).toMatchObject([{ kind: 'accepted' }, { kind: 'accepted' }])
    expect(server.messages).toHaveLength(2)
  })
})

describe('a connection that is kept', () => {
  it('is left for another after as many mails as the URL says', async () => {
    const { smtp, server } = await smtpTo(() => undefined, {}, '?connections=1&messages=2')

    for (const id of ['a', 'b', 'c', 'd', 'e']) await smtp.send([sampleMail({ id })], 'k')

    expect(server.messages).toHaveLength(5)
    expect(server.sessions()).toBe(3)
  })

  it('is one of as many as the URL says', async () => {
    const { smtp } = await smtpTo(() => undefined, {}, '?connections=12&rate=7')

    expect(smtp).toMatchObject({ concurrency: 12, perSecond: 7 })
  })

  it('is not used without TLS where the URL asks for it', async () => {
    const { smtp, server } = await smtpTo(() => undefined, {}, '?tls=required')

    expect(await smtp.send([first], 'k')).toMatchObject({
      kind: 'halt',
      reason: expect.stringContaining('No safe connection'),
    })
    expect(server.messages).toEqual([])
  })
})

async function smtpTo(
  script: Parameters<typeof startScriptedSmtp>[0],
  how: { pipelining?: boolean } = {},
  query = '',
) {
  const server = await startScriptedSmtp(script, how)
  const smtp = smtpTransport({ url: `${server.url}${query}`, clock, timeoutMs: 6_000 })
  onTestFinished(async () => {
    await smtp.close()
    await server.close()
  })
  return { smtp, server }
}
