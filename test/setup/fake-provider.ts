import { createHash, randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'

const plainKinds = [
  'reset-before',
  'accept-and-reset',
  '500-before',
  '500-after',
  'truncated',
  'html',
  'fewer-ids',
  'redirect',
  'quota',
  'concurrent',
  '401',
  '403',
  '404',
  '422',
  '451',
] as const

/** One way to go wrong, for one request. `accept-and-reset`, `500-after`, `truncated`, `html` and `fewer-ids` accept the batch first; `delay` waits, then does; the others accept nothing. */
export type Fault =
  | { kind: (typeof plainKinds)[number] }
  | { kind: 'delay'; ms: number }
  | { kind: 'rate-limit'; retryAfter: number }

/** A mail that was accepted: what the witness log holds, one line of JSON each. */
export type Witnessed = {
  at: string
  key: string | null
  id: string
  to: string
  from: string
  subject: string
  htmlSha256: string
  textSha256: string
  headers: Record<string, string>
  tags: Record<string, string>
  unsubscribe: string | null
}

/** What arrived, as read off the wire, whatever was answered. */
export type Received = { headers: Record<string, string | undefined>; bytes: number; sha256: string }

type Options = {
  /** 0 lets the system choose. */
  port?: number
  /** NDJSON file that each accepted mail is appended to before the answer goes out. */
  log?: string
  /** Asked for each request in turn: a queue that is used up, or a function of the request's number from 0. */
  faults?: Fault[] | ((request: number) => Fault | undefined)
  /** Addresses that make the whole batch a 422, as strict validation does. */
  refuses?: (address: string) => boolean
  latencyMs?: number
  maxBytes?: number
}

/** Resend's batch endpoint as a real server on loopback, with its idempotency; what it accepted is the witness of a test. */
export type FakeProvider = {
  readonly url: string
  readonly accepted: Witnessed[]
  readonly received: Received[]
  /** Adds to the queue of faults. */
  next(...faults: Fault[]): void
  close(): Promise<void>
}

type Reply = { status: number; body: unknown; headers?: Record<string, string> }
type Batch = z.infer<typeof batch>

const address = z.string().regex(/^[^\s@]+@[^\s@]+$|<[^\s@]+@[^\s@]+>$/)
const tag = z.object({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
  value: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
})
const batch = z
  .array(
    z.strictObject({
      from: address,
      to: address,
      reply_to: address.optional(),
      subject: z.string().min(1),
      html: z.string().min(1),
      text: z.string().min(1),
      headers: z.record(z.string(), z.string()).default({}),
      tags: z.array(tag).default([]),
    }),
  )
  .min(1)
  .max(100)

/** Starts the provider; the caller closes it. */
export async function startFakeProvider(options: Options = {}): Promise<FakeProvider> {
  const queue = Array.isArray(options.faults) ? [...options.faults] : []
  const chosen = typeof options.faults === 'function' ? options.faults : () => queue.shift()
  const accepted: Witnessed[] = []
  const received: Received[] = []
  const keys = new Map<string, { sha256: string; reply: Reply | undefined }>()

  const server = createServer(async (request, response) => {
    const fault = chosen(received.length)
    const body = await read(request)
    received.push({ headers: flat(request), bytes: body.byteLength, sha256: sha256(body) })
    if (options.latencyMs) await wait(options.latencyMs)

    const early = before(fault)
    if (early === 'reset') return request.socket.resetAndDestroy()
    const reply = early ?? (await once(request, body, fault))
    answer(request, response, reply, early ? undefined : fault)
  })

  /** The same key and bytes get the first answer again; other bytes, or a first call still running, a 409. */
  async function once(request: IncomingMessage, body: Buffer, fault: Fault | undefined): Promise<Reply> {
    const key = header(request, 'idempotency-key')
    const known = key === null ? undefined : keys.get(key)
    if (known && known.sha256 !== sha256(body)) return refusal(409, 'invalid_idempotent_request')
    if (known) return known.reply ?? refusal(409, 'concurrent_idempotent_requests')

    if (key !== null) keys.set(key, { sha256: sha256(body), reply: undefined })
    if (fault?.kind === 'delay') await wait(fault.ms)
    const reply = receive(request, body, key)
    if (key !== null && reply.status === 200) keys.set(key, { sha256: sha256(body), reply })
    else if (key !== null) keys.delete(key)
    return reply
  }

  function receive(request: IncomingMessage, body: Buffer, key: string | null): Reply {
    const fault = faultOfRequest(request, body, key, options.maxBytes ?? 10_000_000)
    if (fault) return fault

    const parsed = parseBatch(body)
    if (!parsed) return refusal(422, 'validation_error', 'One of the mails is not valid.')
    const refused = parsed.find(({ to }) => options.refuses?.(to))
    if (refused) return refusal(422, 'validation_error', `Invalid \`to\` field: ${refused.to}`)

    const witnessed = parsed.map((mail) => witness(mail, key))
    if (options.log)
      appendFileSync(options.log, witnessed.map((line) => `${JSON.stringify(line)}\n`).join(''))
    accepted.push(...witnessed)
    return { status: 200, body: { data: witnessed.map(({ id }) => ({ id })) } }
  }

  await new Promise<void>((listening) => server.listen(options.port ?? 0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    accepted,
    received,
    next: (...faults) => queue.push(...faults),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
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

/** What a fault answers before the batch is looked at; nothing is accepted. */
function before(fault: Fault | undefined): Reply | 'reset' | undefined {
  switch (fault?.kind) {
    case 'reset-before':
      return 'reset'
    case '500-before':
      return refusal(500, 'internal_server_error')
    case 'rate-limit':
      return { ...refusal(429, 'rate_limit_exceeded'), headers: { 'retry-after': String(fault.retryAfter) } }
    case 'quota':
      return refusal(429, 'daily_quota_exceeded')
    case 'concurrent':
      return refusal(409, 'concurrent_idempotent_requests')
    case 'redirect':
      return { status: 307, body: '', headers: { location: '/emails/batch' } }
    case '401':
      return refusal(401, 'restricted_api_key')
    case '403':
      return refusal(403, 'validation_error', 'The example.com domain is not verified.')
    case '404':
      return refusal(404, 'not_found')
    case '422':
      return refusal(422, 'invalid_parameter', 'A mail to ann@example.test is not valid.')
    case '451':
      return refusal(451, 'security_error')
  }
}

/** What a fault makes of an answer once the batch has been accepted, or refused for itself. */
function answer(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  fault: Fault | undefined,
): void {
  switch (fault?.kind) {
    case 'accept-and-reset':
      request.socket.resetAndDestroy()
      return
    case '500-after':
      send(response, refusal(500, 'internal_server_error'))
      return
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>One moment, please</h1>')
      return
    case 'truncated':
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(reply.body).slice(0, -9))
      return
    case 'fewer-ids':
      send(response, {
        ...reply,
        body: {
          data: z
            .object({ data: z.array(z.unknown()) })
            .parse(reply.body)
            .data.slice(1),
        },
      })
      return
    default:
      send(response, reply)
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  const limits = { 'ratelimit-limit': '5', 'ratelimit-remaining': '4', 'ratelimit-reset': '1' }
  response
    .writeHead(status, { 'content-type': 'application/json', ...limits, ...headers })
    .end(JSON.stringify(body))
}

function refusal(statusCode: number, name: string, message = name.replaceAll('_', ' ')): Reply {
  return { status: statusCode, body: { statusCode, name, message } }
}

function parseBatch(body: Buffer): Batch | undefined {
  try {
    return batch.safeParse(JSON.parse(body.toString())).data
  } catch {
    return undefined
  }
}

function witness(mail: Batch[number], key: string | null): Witnessed {
  return {
    at: Temporal.Now.instant().toString(),
    key,
    id: randomUUID(),
    to: mail.to,
    from: mail.from,
    subject: mail.subject,
    htmlSha256: sha256(mail.html),
    textSha256: sha256(mail.text),
    headers: mail.headers,
    tags: Object.fromEntries(mail.tags.map(({ name, value }) => [name, value])),
    unsubscribe: mail.headers['List-Unsubscribe'] ?? null,
  }
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

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}

function portOf(bound: AddressInfo | string | null): number {
  if (bound === null || typeof bound === 'string') throw new Error('The fake provider is not on a port.')
  return bound.port
}

/** `delay:500`, `rate-limit:3`, or a bare kind. */
const faultWord = z.string().transform((word, context): Fault => {
  const [kind = '', figure = '1'] = word.split(':')
  const plain = z.enum(plainKinds).safeParse(kind).data
  if (plain) return { kind: plain }
  if (kind === 'delay') return { kind, ms: Number(figure) }
  if (kind === 'rate-limit') return { kind, retryAfter: Number(figure) }
  context.addIssue(`No fault is called ${word}.`)
  return z.NEVER
})

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      log: { type: 'string' },
      latency: { type: 'string', default: '0' },
      refuse: { type: 'string' },
      faults: { type: 'string', default: '' },
    },
  })
  const refuse = values.refuse === undefined ? undefined : new RegExp(values.refuse)
  const provider = await startFakeProvider({
    port: Number(values.port),
    latencyMs: Number(values.latency),
    faults: z.array(faultWord).parse(values.faults.split(',').filter(Boolean)),
    ...(values.log === undefined ? {} : { log: values.log }),
    ...(refuse === undefined ? {} : { refuses: (to: string) => refuse.test(to) }),
  })
  console.log(provider.url)
}
