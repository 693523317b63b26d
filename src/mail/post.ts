import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** A body whose length is known and whose bytes are made while they are sent: each block may be written over once it has gone. */
export type Body = { readonly length: number; blocks(): Iterable<Buffer> }

/** What became of a request. `unsent`: no connection was made, so nobody has it. `lost`: anything may have happened. */
export type Posted =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  | { readonly kind: 'unsent' | 'lost'; readonly reason: string }

export type Poster = {
  post(headers: Readonly<Record<string, string>>, body: Body): Promise<Posted>
  close(): void
}

/** An answer longer than this many bytes is no answer of the provider. */
const longestAnswer = 1_000_000

/** POST requests to one URL over connections that are kept. Follows no redirect. */
export function openPoster(
  url: string,
  { timeoutMs, connections }: { timeoutMs: number; connections: number },
): Poster {
  const isSecure = url.startsWith('https:')
  const options = { keepAlive: true, maxSockets: connections, noDelay: true }
  const agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options)
  const open = isSecure ? httpsRequest : httpRequest

  return {
    post: (headers, body) =>
      new Promise((settle) => {
        let isConnected = false
        const request = open(url, {
          ...{ method: 'POST', agent, signal: AbortSignal.timeout(timeoutMs) },
          headers: { ...headers, 'content-length': body.length },
        })
        request.on('socket', (socket) => {
          isConnected = !socket.connecting
          if (isConnected) return
          socket.once(isSecure ? 'secureConnect' : 'connect', () => {
            isConnected = true
          })
        })
        request.on('error', (error) =>
          settle({ kind: isConnected ? 'lost' : 'unsent', reason: `no answer: ${codeOf(error)}` }),
        )
        request.on('response', (response) => {
          readAnswer(response).then(settle, (error: unknown) =>
            settle({ kind: 'lost', reason: `the answer broke off: ${codeOf(error)}` }),
          )
        })
        write(request, body).catch((error: unknown) => request.destroy(error as Error))
      }),
    close: () => agent.destroy(),
  }
}

/** One block after the other, each once the one before has left: nothing piles up behind a slow connection. */
async function write(request: ReturnType<typeof httpRequest>, body: Body): Promise<void> {
  let written = 0
  for (const block of body.blocks()) {
    written += block.byteLength
    await new Promise<void>((gone) => request.write(block, () => gone()))
    if (request.destroyed) return
  }
  if (written !== body.length) throw new Error(`${written} bytes were made instead of ${body.length}`)
  request.end()
}

async function readAnswer(response: IncomingMessage): Promise<Posted> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    if (length > longestAnswer) throw new Error('it is too long')
    chunks.push(chunk)
  }
  return {
    kind: 'answered',
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
    ),
    body: Buffer.concat(chunks).toString(),
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error ? String(error.code) : error.message
}
