import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Order, openControl, portOf, type Stats } from './provider/control.ts'
import { type Fault, type Faults, parseFaults } from './provider/fault.ts'
import { type KeyRules, rememberKeys } from './provider/keys.ts'
import { countQuota, limitRate, type Rate } from './provider/limits.ts'
import { answer, type Reply, refusal, replyBefore } from './provider/reply.ts'
import {
  type Batch,
  parseBatch,
  type Requested,
  sha256,
  type Witnessed,
  witness,
} from './provider/witness.ts'

export type { Fault } from './provider/fault.ts'
export type { Requested, Witnessed } from './provider/witness.ts'

/** What arrived, as read off the wire, whatever was answered. */
export type Received = { headers: Record<string, string | undefined>; bytes: number; sha256: string }

type Options = KeyRules & {
  /** 0 lets the system choose. */
  port?: number
  /** Where it listens; loopback unless a test has a network of its own. */
  host?: string
  /** NDJSON file that each accepted mail is appended to before the answer goes out. */
  log?: string
  /** NDJSON file that each request is appended to, with the sum of its bytes. */
  requestLog?: string
  /** Asked for each request in turn: a queue that is used up, or a function of the request's number from 0. */
  faults?: Fault[] | Faults
  /** Addresses that make the whole batch a 422, as strict validation does. */
  refuses?: (address: string) => boolean
  /** Handed each mail that is accepted, whole. */
  reads?: (mail: Batch[number]) => void
  latencyMs?: number
  maxBytes?: number
  rate?: Rate
  /** Mails that a day of the provider's clock takes. */
  dailyQuota?: number
}

/** Resend's batch endpoint as a real server on loopback, with its idempotency; what it accepted is the witness of a test. */
export type FakeProvider = {
  readonly url: string
  readonly accepted: Witnessed[]
  readonly received: Received[]
  /** Adds to the queue of faults. */
  next(...faults: Fault[]): void
  /** Moves its clock on, changes what is to come, and tells what it has seen. */
  carryOut(order: Order): Stats
  close(): Promise<void>
}

/** Starts the provider; the caller closes it. */
export async function startFakeProvider(options: Options = {}): Promise<FakeProvider> {
  const accepted: Witnessed[] = []
  const received: Received[] = []
  const queue: Fault[] = []
  let chosen: Faults = () => queue.shift()
  useFaults(options.faults ?? [])
  let ahead = Temporal.Duration.from({ seconds: 0 })
  let quota = options.dailyQuota ?? Number.POSITIVE_INFINITY
  const clock = () => Temporal.Now.instant().add(ahead)
  const keys = rememberKeys(clock, options)
  const limit = limitRate(options.rate)
  const overQuota = countQuota(clock, () => quota)
  const bytesOf = new Map<string, string>()
  let otherBytes = 0
  let requests = 0

  const server = createServer(async (request, response) => {
    const at = Temporal.Now.instant().toString()
    const fault = chosen(requests++)
    if (fault?.kind === 'reset-early') {
      note({ at, key: header(request, 'idempotency-key'), ...nothing, fault: fault.kind })
      return request.socket.resetAndDestroy()
    }
    const body = await read(request).catch(() => undefined)
    if (!body) return
    const sum = sha256(body)
    received.push({ headers: flat(request), bytes: body.byteLength, sha256: sum })
    if (options.latencyMs) await wait(options.latencyMs)

    const key = header(request, 'idempotency-key')
    compareBytes(key, sum)
    const admitted = limit.admit()
    const early = admitted.refused ?? replyBefore(fault)
    if (early) keys.failed(key, sum, body)
    const reply = early ?? (await keys.once(key, sum, body, () => receive(request, body, key, fault)))
    const seen = { at, key, sha256: sum, bytes: body.byteLength, mails: parseBatch(body)?.length ?? 0 }
    note({ ...seen, fault: fault?.kind ?? null, ...(typeof reply === 'string' ? unanswered : said(reply)) })
    if (reply === 'reset') return request.socket.resetAndDestroy()
    if (reply === 'hang') return
    if (fault?.kind === 'late') await wait(fault.ms)
    const told = { ...reply, headers: { ...admitted.headers, ...reply.headers } }
    answer(request, response, told, early ? undefined : fault)
  })

  async function receive(
    request: IncomingMessage,
    body: Buffer,
    key: string | null,
    fault: Fault | undefined,
  ): Promise<Reply> {
    if (fault?.kind === 'delay') await wait(fault.ms)
    const wrong = faultOfRequest(request, body, key, options.maxBytes ?? 10_000_000)
    if (wrong) return wrong

    const parsed = parseBatch(body)
    if (!parsed) return refusal(422, 'validation_error', 'One of the mails is not valid.')
    const refused = parsed.find(({ to }) => options.refuses?.(to))
    if (refused) return refusal(422, 'validation_error', `Invalid \`to\` field: ${refused.to}`)
    const over = overQuota(parsed.length)
    if (over) return over

    const witnessed = parsed.map((mail) => witness(mail, key))
    if (options.log)
      appendFileSync(options.log, witnessed.map((line) => `${JSON.stringify(line)}\n`).join(''))
    accepted.push(...witnessed)
    if (options.reads) parsed.forEach(options.reads)
    return { status: 200, body: { data: witnessed.map(({ id }) => ({ id })) } }
  }

  function compareBytes(key: string | null, sum: string): void {
    if (key === null) return
    const before = bytesOf.get(key)
    if (before === undefined) bytesOf.set(key, sum)
    else if (before !== sum) otherBytes += 1
  }

  function note(line: Requested): void {
    if (options.requestLog) appendFileSync(options.requestLog, `${JSON.stringify(line)}\n`)
  }

  function useFaults(faults: Fault[] | Faults): void {
    queue.length = 0
    if (typeof faults === 'function') chosen = faults
    else {
      queue.push(...faults)
      chosen = () => queue.shift()
    }
  }

  function carryOut({ advance, faults, dailyQuota }: Order): Stats {
    if (advance) ahead = ahead.add(Temporal.Duration.from(advance))
    if (faults !== undefined) useFaults(parseFaults(faults, 1))
    if (dailyQuota !== undefined) quota = dailyQuota ?? Number.POSITIVE_INFINITY
    return { accepted: accepted.length, requests, otherBytes }
  }

  const host = options.host ?? '127.0.0.1'
  await new Promise<void>((listening) => server.listen(options.port ?? 0, host, listening))
  return {
    url: `http://${host}:${portOf(server.address())}`,
    accepted,
    received,
    next: (...faults) => queue.push(...faults),
    carryOut,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

const unanswered = { status: null, name: null }
const nothing = { sha256: '', bytes: 0, mails: 0, ...unanswered }

function said({ status, body }: Reply): { status: number; name: string | null } {
  const name = body && typeof body === 'object' && 'name' in body ? String(body.name) : null
  return { status, name }
}

function faultOfRequest(
  request: IncomingMessage,
  body: Buffer,
  key: string | null,
  maxBytes: number,
): Reply | undefined {
  if (request.url !== '/emails/batch') return refusal(404, 'not_found')
  if (request.method !== 'POST') return refusal(405, 'method_not_allowed')
  if (!header(request, 'user-agent')) return refusal(403, 'validation_error', 'A User-Agent is required.')
  if (!/^Bearer re_\w+$/.test(header(request, 'authorization') ?? '')) return refusal(401, 'missing_api_key')
  if (key !== null && (key.length < 1 || key.length > 256)) return refusal(400, 'invalid_idempotency_key')
  if (body.byteLength > maxBytes) return refusal(413, 'validation_error', 'The request is too large.')
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

function flat(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, value?.toString()]))
}

function header(request: IncomingMessage, name: string): string | null {
  return request.headers[name]?.toString() ?? null
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      log: { type: 'string' },
      requests: { type: 'string' },
      latency: { type: 'string', default: '0' },
      refuse: { type: 'string' },
      seed: { type: 'string', default: '1' },
      faults: { type: 'string', default: '' },
      rate: { type: 'string' },
      window: { type: 'string', default: 'fixed' },
      quota: { type: 'string' },
      'binds-failed': { type: 'boolean', default: false },
      compares: { type: 'string', default: 'bytes' },
      control: { type: 'boolean', default: false },
    },
  })
  const refuse = values.refuse === undefined ? undefined : new RegExp(values.refuse)
  const window = values.window === 'sliding' ? 'sliding' : 'fixed'
  const provider = await startFakeProvider({
    port: Number(values.port),
    host: values.host,
    latencyMs: Number(values.latency),
    faults: parseFaults(values.faults, Number(values.seed)),
    bindsFailed: values['binds-failed'],
    compares: values.compares === 'json' ? 'json' : 'bytes',
    ...(values.log === undefined ? {} : { log: values.log }),
    ...(values.requests === undefined ? {} : { requestLog: values.requests }),
    ...(refuse === undefined ? {} : { refuses: (to: string) => refuse.test(to) }),
    ...(values.rate === undefined ? {} : { rate: { perSecond: Number(values.rate), window } }),
    ...(values.quota === undefined ? {} : { dailyQuota: Number(values.quota) }),
  })
  const control = values.control ? await openControl(provider.carryOut) : undefined
  console.log([provider.url, control?.url].filter(Boolean).join('\n'))
}
