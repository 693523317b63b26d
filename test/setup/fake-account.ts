import { createServer, type ServerResponse } from 'node:http'

/** A mail as the provider has it: what `Witnessed` of the fake provider is, or made of what a post office accepted. */
export type AccountMail = {
  readonly id: string
  readonly at: string
  readonly key: string | null
  readonly to: string
  readonly subject: string
  readonly tags: Readonly<Record<string, string>>
}

/** Resend's own view of an account, on loopback: `GET /emails`, `/logs` and `/logs/{id}`, for the key `re_full` only. */
export type FakeAccount = {
  readonly url: string
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

type Row = { readonly id: string; readonly created_at: string }
type Options = {
  /** Lines of the log that have nothing to do with us, by when they were written. */
  readonly otherCalls?: readonly string[]
  /** How many requests are first answered 429. */
  readonly refusals?: number
}

/** Starts it over whatever `mails` returns at each request; mails under one key were one call. The caller closes it. */
export async function startFakeAccount(
  mails: () => readonly AccountMail[],
  { otherCalls = [], refusals = 0 }: Options = {},
): Promise<FakeAccount> {
  const asked: string[] = []
  let toRefuse = refusals
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    asked.push(url.pathname)
    if (request.headers.authorization !== 'Bearer re_full')
      return send(response, 401, { statusCode: 401, name: 'restricted_api_key', message: 'Only sending.' })
    if (toRefuse-- > 0)
      return send(response, 429, { statusCode: 429, name: 'rate_limit_exceeded', message: 'Wait.' })
    if (url.pathname === '/emails') return send(response, 200, page(url, mails().map(toListed)))
    const calls = [...logsOf(mails()), ...otherCalls.map(otherCall)]
    if (url.pathname === '/logs') return send(response, 200, page(url, calls.map(toSummary)))
    const call = calls.find(({ id }) => url.pathname === `/logs/${id}`)
    return call ? send(response, 200, call) : send(response, 404, { statusCode: 404, name: 'not_found' })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('The fake account is not on a port')
  return {
    url: `http://127.0.0.1:${bound.port}`,
    asked,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

type Call = ReturnType<typeof otherCall>

function logsOf(mails: readonly AccountMail[]): readonly Call[] {
  return [...Map.groupBy(mails, ({ key }) => key)].map(([key, theirs]) => ({
    ...otherCall(theirs[0]?.at ?? ''),
    id: `log-${key?.replaceAll('/', '-')}`,
    request_body: theirs.map(({ to, subject, tags }) => ({
      ...{ to, subject },
      tags: Object.entries(tags).map(([name, value]) => ({ name, value })),
    })),
    response_body: { data: theirs.map(({ id }) => ({ id })) },
  }))
}

function otherCall(at: string) {
  return {
    object: 'log',
    id: `log-at-${at}`,
    created_at: asResendWritesIt(at),
    endpoint: '/emails/batch',
    method: 'POST',
    response_status: 200,
    user_agent: 'another-program',
    request_body: [] as object[],
    response_body: { data: [] as object[] },
  }
}

function toSummary({ request_body: _request, response_body: _response, ...summary }: Call): Row {
  return summary
}

function toListed({ id, at, to, subject }: AccountMail): Row {
  return { id, created_at: asResendWritesIt(at), ...{ to: [to], subject, last_event: 'delivered' } }
}

/** The newest first, and after the cursor. */
function page(url: URL, rows: readonly Row[]): object {
  const sorted = rows.toSorted((a, b) => b.created_at.localeCompare(a.created_at))
  const after = url.searchParams.get('after')
  const from = after === null ? 0 : sorted.findIndex(({ id }) => id === after) + 1
  const to = from + Number(url.searchParams.get('limit') ?? 20)
  return { object: 'list', has_more: to < sorted.length, data: sorted.slice(from, to) }
}

/** `2023-04-03 22:13:42.674981+00` */
function asResendWritesIt(at: string): string {
  return Temporal.Instant.from(at)
    .toString({ fractionalSecondDigits: 6 })
    .replace('T', ' ')
    .replace('Z', '+00')
}

function send(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'retry-after': '0.02' })
    .end(JSON.stringify(body))
}
