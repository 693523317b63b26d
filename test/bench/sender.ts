import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import Handlebars from 'handlebars'
import mjml2html from 'mjml'
import { sendIssue } from '../../jobs/send-issue.ts'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { personalise } from '../../src/delivery/personalise.ts'
import { loadEdition } from '../../src/delivery/send.ts'
import { cutEdition } from '../../src/issue/edition.ts'
import { issueView } from '../../src/issue/issue-view.ts'
import { createLog } from '../../src/log.ts'
import type { Mail, SendOutcome } from '../../src/mail/email.ts'
import { resendTransport } from '../../src/mail/resend.ts'
import { jsonOfMail } from '../../src/mail/resend-body.ts'
import { openNewsletter } from '../../src/newsletter.ts'
import { annsLinks, sampleIssue, setting } from '../setup/sample-issue.ts'

/*
 * One sending process of `send.bench.ts`: says when it is ready, waits for the word, does its work, tells what it took.
 * The environment is that of `verdict send`.
 */
export type Order =
  | { readonly role: 'ours'; readonly week: string }
  | { readonly role: 'bare'; readonly batches: number; readonly mails: number; readonly url: string }
  | { readonly role: 'client'; readonly batches: number; readonly mails: number; readonly url: string }
  | { readonly role: 'naive'; readonly mails: number; readonly url: string }

export type Took = {
  readonly mails: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMegabytes: number
}

const order = JSON.parse(process.argv[2] ?? '{}') as Order
const newsletter = await openNewsletter(readConfig(process.env), systemClock, createLog('silent'))
/** When the last batch was written down: whoever has nothing left to claim still waits for the others. */
let lastAt = 0
const work = await prepare(order)
process.send?.('ready')
process.once('message', async () => {
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  const mails = await work()
  const seconds = ((lastAt || performance.now()) - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const took: Took = { mails, seconds, cpuSeconds: (user + system) / 1e6, peakMegabytes: peakMegabytes() }
  process.send?.(took)
  await newsletter.close()
  process.disconnect?.()
})

async function prepare(what: Order): Promise<() => Promise<number>> {
  switch (what.role) {
    case 'ours': {
      let mails = 0
      const onProgress = (more: number) => {
        mails += more
        lastAt = performance.now()
      }
      return async () => {
        const sent = await sendIssue({ ...newsletter, onProgress }, what.week, {
          early: true,
          toTheEnd: true,
        })
        if (sent.kind !== 'finished') throw new Error(JSON.stringify(sent))
        return mails
      }
    }
    case 'bare':
      return bare(what)
    case 'client':
      return client(what)
    case 'naive':
      return naive(what)
  }
}

/** The same bytes, prepared once, posted again and again: what the kernel and the other side cost. */
async function bare({ batches, mails, url }: Extract<Order, { role: 'bare' }>) {
  const body = Buffer.from(`[${(await someMails(mails)).map(jsonOfMail).join(',')}]`)
  const agent = new Agent({ keepAlive: true })
  const post = () =>
    new Promise<void>((done, failed) => {
      const headers = { 'content-length': body.byteLength, 'content-type': 'application/json' }
      const call = request(`${url}/emails/batch`, { method: 'POST', agent, headers }, (response) => {
        text(response).then(() => done(), failed)
      })
      call.on('error', failed)
      call.end(body)
    })
  return async () => {
    await inLanes(10, batches, post)
    agent.destroy()
    return batches * mails
  }
}

/** The same mails, made and sent as objects through Resend's client, a batch a call: no ledger, no database. */
async function client({ batches, mails, url }: Extract<Order, { role: 'client' }>) {
  const transport = resendTransport({ apiKey: 're_bench', baseUrl: url })
  let calls = 0
  return async () => {
    await inLanes(10, batches, async () => {
      calls += 1
      await accepted(transport.send(await someMails(mails), `bench/${calls}`))
    })
    return batches * mails
  }
}

/** What most tutorials do: Handlebars and MJML for every reader, and a call of the client for every mail. */
async function naive({ mails, url }: Extract<Order, { role: 'naive' }>) {
  const transport = resendTransport({ apiKey: 're_bench', baseUrl: url })
  const template = readFileSync(new URL('../../templates/email/issue.mjml.hbs', import.meta.url), 'utf8')
  const engine = Handlebars.create()
  for (const name of ['mail-stamp', 'mail-comparison']) {
    engine.registerPartial(
      name,
      readFileSync(new URL(`../../templates/partials/${name}.hbs`, import.meta.url), 'utf8'),
    )
  }
  const fill = engine.compile(template)
  const readers = (await someMails(mails)).values()
  return async () => {
    await inLanes(10, mails, async () => {
      const mail = readers.next().value
      if (!mail) throw new Error('Too few mails')
      const mjml = fill({ ...issueView(sampleIssue(), setting), ...annsLinks })
      const { html } = await mjml2html(mjml, { ignoreIncludes: true, fonts: {} })
      await accepted(transport.send([{ ...mail, html }], `bench/${mail.tags.delivery}`))
    })
    return mails
  }
}

async function someMails(many: number): Promise<readonly Mail[]> {
  const { edition_hash: hash } = await newsletter.db
    .selectFrom('issue')
    .select('edition_hash')
    .where('week', '=', '2026-W47')
    .executeTakeFirstOrThrow()
  const cut = cutEdition(await loadEdition(newsletter.db, hash ?? ''))
  const [key] = newsletter.keys
  if (!key) throw new Error('There is no signing key')
  return Array.from({ length: many }, (_, n) => {
    const publicId = `0b2c7a52-1111-4000-8000-${String(n).padStart(12, '0')}`
    const reader = { publicId, address: `reader-${String(n).padStart(6, '0')}@example.test` }
    return personalise({ ...newsletter, key }, cut, reader, { week: '2026-W47', batchId: publicId })
  })
}

async function accepted(call: Promise<SendOutcome>): Promise<void> {
  const outcome = await call
  if (outcome.kind !== 'accepted') throw new Error(JSON.stringify(outcome))
}

async function inLanes(lanes: number, times: number, work: () => Promise<void>): Promise<void> {
  let left = times
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (left-- > 0) await work()
    }),
  )
}

/** The most memory that this process ever had, as the kernel counts it. */
function peakMegabytes(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024
}
