/**
 * A sender that dies at a named point: `node worker.ts WINDOW WEEK`, with the environment of `verdict send`. It is the real
 * newsletter; only the driver and the way out are listened to from outside, and the process kills itself where RELIABILITY
 * 3.2 has a crash window. In W3 it is the test that kills it, once the provider has the request.
 */
import { randomUUID } from 'node:crypto'
import { sendIssue } from '../../jobs/send-issue.ts'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import type { SendOutcome, Transport } from '../../src/mail/email.ts'
import { type Newsletter, openNewsletter } from '../../src/newsletter.ts'
import { watchCommits } from './watch-commits.ts'

const [, , window = '', week = ''] = process.argv
let isAnswered = false

watchCommits({
  before(said) {
    if (window === 'W0' && said.includes('insert into delivery')) die()
    if (window === 'W6' && isAnswered && isRecord(said)) die()
  },
  after(said) {
    if (window === 'W1' && said.includes('insert into delivery')) die()
    if (window === 'W2' && /insert into "?attempt"?/.test(said)) die()
    if (window === 'W5' && isAnswered && isRecord(said)) die()
  },
})
const newsletter = await openNewsletter(readConfig(process.env), systemClock, createLog('silent'))
await sendIssue({ ...newsletter, transport: listeningTo(newsletter) }, week, { early: true, toTheEnd: true })
await newsletter.close()

function listeningTo({ transport, db }: Newsletter): Transport {
  const { merge } = transport
  async function heard(answer: Promise<SendOutcome>, key: string): Promise<SendOutcome> {
    const outcome = await answer
    isAnswered = true
    if (window === 'W4') die()
    if (window === 'W6') await webhookComes(db, key, outcome)
    return outcome
  }
  return {
    ...transport,
    send: (mails, key) => heard(transport.send(mails, key), key),
    ...(merge && {
      merge(pattern) {
        const send = merge(pattern)
        return (values, key) => heard(send(values, key), key)
      },
    }),
  }
}

/** The row that the webhook route would have left, had the provider's event come before our own commit. */
async function webhookComes(db: Newsletter['db'], key: string, outcome: SendOutcome): Promise<void> {
  const isAccepted = outcome.kind === 'accepted'
  const now = systemClock()
  await db
    .insertInto('provider_event')
    .values({
      ...{ svix_id: `msg_${randomUUID()}`, type: isAccepted ? 'email.sent' : 'email.failed' },
      email_id: isAccepted ? (outcome.providerIds[0] ?? null) : null,
      batch_id: key.split('/')[2] ?? null,
      ...{ subscriber_public_id: null, occurred_at: now, received_at: now, body: '{}' },
    })
    .execute()
}

function isRecord(said: string): boolean {
  return /update "?(?:batch|attempt)"?/.test(said)
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}
