/**
 * Mails a second over SMTP: `node test/bench/smtp.bench.ts`. The server is a real Postfix of this bench's own, which takes
 * each mail into its queue on disk and then discards it; five connections; six comparisons a mail. Beside ours, in the
 * same minute: prepared bytes over bare pipelined sockets (what Postfix itself can take), and nodemailer in a bare loop.
 * With PostgreSQL (`TEST_DATABASE_URL`) also the whole pipeline, ledger and all. Rounds alternate; medians. Needs root.
 */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { cutEdition, fillEdition, freezeEdition } from '../../src/issue/edition.ts'
import { loadIssueTemplates, renderIssue } from '../../src/issue/render.ts'
import type { Mail, Transport } from '../../src/mail/email.ts'
import { writeMessage } from '../../src/mail/message.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { clockAt } from '../setup/clock.ts'
import { publish, sampleDocuments } from '../setup/comparisons.ts'
import { openTestDatabase } from '../setup/database.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { startPostfix } from '../setup/postfix.ts'
import { annsLinks, sampleIssue, setting } from '../setup/sample-issue.ts'

const lanes = 5
const perRound = Number(process.env.MAILS ?? 600)
const rounds = 3
const clock = () => Temporal.Now.instant()

const edition = freezeEdition(renderIssue(loadIssueTemplates(), sampleIssue(), setting))
const cut = cutEdition(edition)
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const dkim = { domain: 'news.example.test', selector: 'w1', privateKey }

const postfix = await startPostfix()
const { url } = postfix
const { port } = new URL(url)
const ours = smtpTransport({ url, clock })
const signed = smtpTransport({ url, clock, dkim })
const bare = createTransport({ host: '127.0.0.1', port: Number(port), pool: true, maxConnections: lanes })

try {
  const [sample] = mailsFor(1)
  if (!sample) throw new Error('There is no mail')
  const prepared = await writeMessage(sample, clock())
  console.log(
    `Postfix ${postfix.version}, ${lanes} connections, ${grouped(prepared.length)} bytes a mail on the wire`,
  )

  const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['prepared bytes, bare pipelined sockets', () => byBareSockets(prepared)],
    ['nodemailer in a bare loop', () => byNodemailer()],
    ['our smtp transport', () => by(ours)],
    ['our smtp transport, with DKIM', () => by(signed)],
  ]
  const figures = ways.map(() => [] as { perSecond: number; cpu: number }[])
  for (let round = 0; round <= rounds; round += 1)
    for (const [n, [, run]] of ways.entries()) {
      const figure = await measured(run, perRound)
      if (round > 0) figures[n]?.push(figure)
    }
  const middle = figures.map(median)
  const [wire, loop] = middle
  for (const [n, [name]] of ways.entries()) print(name, middle[n], wire, loop)
  if (process.env.TEST_DATABASE_URL)
    print('the whole pipeline, with its ledger', await pipeline(), wire, loop)
} finally {
  await Promise.all([ours.close(), signed.close()])
  bare.close()
  await postfix.stop()
}

function mailsFor(count: number): Mail[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `2026-W47.reader-${n}`,
    from: 'Weekly AI Tool Verdicts <verdicts@news.example.test>',
    to: `reader-${n}@example.test`,
    subject: cut.subject,
    ...fillEdition(cut, annsLinks),
    headers: {
      'List-Unsubscribe': `<${annsLinks.unsubscribe}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'List-Id': 'Weekly Verdict <weekly.news.example.test>',
    },
    tags: {},
  }))
}

/** Each lane says MAIL, RCPT and DATA in one write with the end of the mail before (RFC 2920). */
async function byBareSockets(prepared: Buffer): Promise<void> {
  const envelope = 'MAIL FROM:<verdicts@news.example.test>\r\nRCPT TO:<reader@example.test>\r\nDATA\r\n'
  const message = Buffer.from(prepared.toString('latin1').replace(/^\./gm, '..'), 'latin1')
  const lane = async (mails: number) => {
    const socket = connect(Number(port), '127.0.0.1').setNoDelay(true).setEncoding('latin1')
    let said = ''
    let wake = () => {}
    socket.on('data', (chunk: string) => {
      said += chunk
      wake()
    })
    const heard = async (pattern: RegExp) => {
      while (!pattern.test(said)) {
        const more = Promise.withResolvers<void>()
        wake = more.resolve
        await more.promise
      }
      if (/^[45]\d\d/m.test(said)) throw new Error(said)
      said = ''
    }
    await heard(/^220 .*\r\n/m)
    socket.write('EHLO bench.example.test\r\n')
    await heard(/^250 .*\r\n/m)
    for (let n = 0; n < mails; n += 1) {
      if (n === 0) socket.write(envelope)
      await heard(/^354.*\r\n/m)
      socket.write(message)
      socket.write(n + 1 < mails ? `\r\n.\r\n${envelope}` : '\r\n.\r\n')
    }
    await heard(/^250 2\.0\.0.*\r\n/m)
    socket.end('QUIT\r\n')
    await once(socket, 'close')
  }
  await Promise.all(Array.from({ length: lanes }, () => lane(perRound / lanes)))
}

async function byNodemailer(): Promise<void> {
  await inLanes(mailsFor(perRound), ({ from, to, subject, html, text, headers }) =>
    bare.sendMail({ from, to, subject, html, text, headers: { ...headers } }),
  )
}

async function by(transport: Transport): Promise<void> {
  await inLanes(mailsFor(perRound), async (mail) => {
    const outcome = await transport.send([mail], 'k')
    if (outcome.kind !== 'accepted') throw new Error(outcome.reason)
  })
}

async function inLanes(mails: readonly Mail[], send: (mail: Mail) => Promise<unknown>): Promise<void> {
  const left = mails.values()
  const lane = async () => {
    for (const mail of left) await send(mail)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Claimed, personalised, sent and recorded for as many readers; drafting and freezing are not counted. */
async function pipeline() {
  const database = await openTestDatabase()
  try {
    const { db } = database.connection
    const at = clockAt('2026-11-19T14:00:00Z')
    for (const document of [...sampleDocuments().values()].slice(0, 6))
      await publish(db, { ...document, publishedAt: '2026-11-18T14:00:00Z' })
    await people.crowd(db, perRound)
    const deps = newsletterWith({ db }, { clock: at, transport: ours })
    await runDraft(deps, '2026-W47')
    at.moveTo('2026-11-20T14:00:00Z')
    let started = 0
    const timed: Transport = {
      ...ours,
      send(mails, key) {
        started ||= performance.now()
        return ours.send(mails, key)
      },
    }
    const before = process.cpuUsage()
    const sent = await sendIssue({ ...deps, transport: timed }, '2026-W47', { toTheEnd: true })
    if (sent.kind !== 'finished' || sent.state !== 'sent') throw new Error(JSON.stringify(sent))
    return figure(started, before, perRound)
  } finally {
    await database.close()
  }
}

async function measured(run: () => Promise<unknown>, mails: number) {
  const before = process.cpuUsage()
  const started = performance.now()
  await run()
  return figure(started, before, mails)
}

function figure(started: number, before: NodeJS.CpuUsage, mails: number) {
  const { user, system } = process.cpuUsage(before)
  return { perSecond: mails / ((performance.now() - started) / 1000), cpu: (user + system) / mails }
}

function median(figures: readonly { perSecond: number; cpu: number }[]) {
  return figures.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(figures.length / 2)]
}

type Figure = ReturnType<typeof figure> | undefined

function print(name: string, mine: Figure, wire: Figure, loop: Figure): void {
  const ratio = (other: Figure) => `×${((mine?.perSecond ?? 0) / (other?.perSecond ?? 1)).toFixed(2)}`
  console.log(
    `${name.padEnd(40)}${grouped(mine?.perSecond ?? 0).padStart(7)} mails/s  ${grouped(mine?.cpu ?? 0).padStart(6)} µs of CPU each` +
      `  ${ratio(wire)} of the wire  ${ratio(loop)} of nodemailer`,
  )
}

function grouped(figure: number): string {
  return Math.round(figure).toLocaleString('en-GB')
}
