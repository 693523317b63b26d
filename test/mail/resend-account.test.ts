import { describe, expect, it, onTestFinished } from 'vitest'
import { openResendAccount } from '../../src/mail/resend-account.ts'
import { AccountUnreadable } from '../../src/mail/resend-ask.ts'
import { type AccountMail, startFakeAccount } from '../setup/fake-account.ts'

const nine = Temporal.Instant.from('2026-11-20T09:00:00Z')

describe('the account at Resend', () => {
  it('lists mails over pages, the newest first, and stops at the instant that was asked for', async () => {
    const { account, server } = await accountWith(Array.from({ length: 450 }, (_, n) => mailAt(n)))

    const found: string[] = []
    for await (const page of account.mails(nine.add({ minutes: 200 })))
      found.push(...page.map(({ id }) => id))

    expect(found).toHaveLength(250)
    expect([found[0], found.at(-1)]).toEqual(['mail-449', 'mail-200'])
    expect(server.asked).toHaveLength(3)
  })

  it('waits when it is asked to, and goes on', async () => {
    const { account, server } = await accountWith([mailAt(0)], { refusals: 2 })

    const pages = await Array.fromAsync(account.mails(nine))

    expect(pages.flat()).toHaveLength(1)
    expect(server.asked).toHaveLength(3)
  })

  it('gives the calls of a span with each mail’s tags and id, and says whether the log reaches back', async () => {
    const mails = [
      mailAt(10),
      mailAt(200),
      { ...mailAt(10), id: 'second', tags: { batch: 'b1', delivery: 'r2' } },
    ]
    const { account, server } = await accountWith(mails)
    const span = { from: nine, to: nine.add({ minutes: 60 }) }

    const found = await account.acceptedCalls([span])
    const later = await account.acceptedCalls([{ ...span, from: nine.add({ minutes: 30 }) }])

    expect(found).toEqual({
      isComplete: false,
      calls: [
        {
          logId: 'log-key-10',
          mails: [
            { batchId: 'b10', publicId: 'r10', providerId: 'mail-10' },
            { batchId: 'b1', publicId: 'r2', providerId: 'second' },
          ],
        },
      ],
    })
    expect(later).toEqual({ isComplete: true, calls: [] })
    expect(server.asked.filter((path) => path !== '/logs')).toEqual(['/logs/log-key-10'])
  })

  it('says what to do when the key may only send', async () => {
    const server = await startFakeAccount(() => [])
    onTestFinished(() => server.close())
    const account = openResendAccount({ fullAccessKey: 're_sending', baseUrl: server.url })

    const asking = Array.fromAsync(account.mails(nine))

    await expect(asking).rejects.toThrow(AccountUnreadable)
    await expect(asking).rejects.toThrow(/RESEND_FULL_ACCESS_KEY.*may only send/)
  })

  it('says so when nobody answers', async () => {
    const server = await startFakeAccount(() => [])
    await server.close()
    const account = openResendAccount({ fullAccessKey: 're_full', baseUrl: server.url })

    await expect(Array.fromAsync(account.mails(nine))).rejects.toThrow(/Try again later/)
  })
})

/** The nth mail, n minutes after nine. */
function mailAt(n: number): AccountMail {
  return {
    ...{
      id: `mail-${n}`,
      at: nine.add({ minutes: n }).toString(),
      key: `key/${n}`,
      to: `r${n}@example.test`,
    },
    ...{ subject: 'Ship it', tags: { batch: `b${n}`, delivery: `r${n}` } },
  }
}

async function accountWith(
  mails: readonly AccountMail[],
  options: Parameters<typeof startFakeAccount>[1] = {},
) {
  const server = await startFakeAccount(() => mails, options)
  onTestFinished(() => server.close())
  return { server, account: openResendAccount({ fullAccessKey: 're_full', baseUrl: server.url }) }
}
