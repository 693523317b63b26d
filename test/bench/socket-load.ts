import { connect } from 'node:net'

/** What a run of requests came to: answers a second, and latencies in milliseconds, ascending. */
export type Load = { readonly perSecond: number; readonly latencies: readonly number[] }

/** A POST as it goes over the wire. */
export function formPost(path: string, body: string): string {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n`
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** One kept connection on loopback; `ask` resolves with the latency in milliseconds and the status. */
export async function openSocket(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let missing = 0
  let status = 0
  let answered = (_status: number) => {}
  socket.on('data', (chunk: Buffer) => {
    if (missing === 0) {
      const head = chunk.indexOf('\r\n\r\n')
      const length = /^content-length: (\d+)/im.exec(chunk.toString('latin1', 0, head))?.[1]
      status = Number(chunk.toString('latin1', 9, 12))
      const hasBody = status !== 304
      // What has no length has no body either here: an empty last chunk comes with the head.
      const isEmpty = !length && chunk.subarray(head).includes('\r\n\r\n0\r\n\r\n')
      if (head < 0 || (hasBody && !length && !isEmpty))
        throw new Error('Expected the whole head at once, with a length')
      missing = isEmpty ? chunk.length : head + 4 + (hasBody ? Number(length) : 0)
    }
    missing -= chunk.length
    if (missing === 0) answered(status)
  })
  return {
    async ask(request: string): Promise<{ ms: number; status: number }> {
      const start = performance.now()
      const given = await new Promise<number>((resolve) => {
        answered = resolve
        socket.write(request, 'latin1')
      })
      return { ms: performance.now() - start, status: given }
    },
    close: () => socket.destroy(),
  }
}

/** Keeps so many connections busy for so long, each with one request at a time. Throws on an answer that refuses. */
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
        if (status < 200 || status > 399) throw new Error(`The server answered ${status}`)
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
