import { connect } from 'node:net'

/** What a run of requests came to: answers a second, and latencies in milliseconds, ascending. */
export type Load = { readonly perSecond: number; readonly latencies: readonly number[] }

/** A POST as it goes over the wire. */
export function formPost(path: string, body: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

/** One kept connection on loopback; `ask` resolves with the latency in milliseconds and the status. */
export async function openSocket(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let received = ''
  let answered: ((status: number) => void) | undefined
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk
    const head = received.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number(/^content-length: (\d+)/im.exec(received)?.[1] ?? 0)
    if (received.length < head + 4 + length) return
    const status = Number(received.slice(9, 12))
    received = ''
    answered?.(status)
  })
  return {
    async ask(request: string): Promise<{ ms: number; status: number }> {
      const start = performance.now()
      const status = await new Promise<number>((resolve) => {
        answered = resolve
        socket.write(request)
      })
      return { ms: performance.now() - start, status }
    },
    close: () => socket.destroy(),
  }
}

/** Keeps so many connections busy for so long, each with one request at a time. Throws on any answer but 2xx. */
export async function load(
  port: number,
  { connections, seconds }: { connections: number; seconds: number },
  request: (n: number) => string,
): Promise<Load> {
  const latencies: number[] = []
  const start = performance.now()
  let n = 0
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await openSocket(port)
      while (performance.now() - start < seconds * 1000) {
        const { ms, status } = await socket.ask(request(n++))
        if (status < 200 || status > 299) throw new Error(`The server answered ${status}`)
        latencies.push(ms)
      }
      socket.close()
    }),
  )
  const elapsed = (performance.now() - start) / 1000
  return { perSecond: latencies.length / elapsed, latencies: latencies.toSorted((a, b) => a - b) }
}

/** The value below which that share of an ascending list lies. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN
}
