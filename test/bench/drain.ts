import { createServer, type Socket } from 'node:net'

/*
 * A provider that takes any batch and does nothing with it: the cheapest that can still answer correctly. It reads the
 * length of a request, counts its bytes away, and answers with as many ids as mails of the given size fit into it.
 *
 *     node test/bench/drain.ts BYTES_PER_MAIL
 */
const bytesPerMail = Number(process.argv[2] ?? 50_000)
const answers = new Map<number, string>()
let calls = 0

const server = createServer({ noDelay: true }, (socket) => {
  let head = ''
  let left = 0
  let mails = 0
  socket.on('error', () => {})
  socket.on('data', (data: Buffer) => {
    for (let at = 0; at < data.byteLength; ) {
      if (left === 0) {
        const end = data.indexOf('\r\n\r\n', at)
        head += data.toString('latin1', at, end === -1 ? undefined : end)
        if (end === -1) return
        at = end + 4
        left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
        mails = Math.max(1, Math.round(left / bytesPerMail))
        head = ''
      }
      const taken = Math.min(left, data.byteLength - at)
      left -= taken
      at += taken
      if (left === 0) answer(socket, mails)
    }
  })
})

function answer(socket: Socket, mails: number): void {
  calls += 1
  const body = answers.get(mails) ?? bodyFor(mails)
  answers.set(mails, body)
  socket.write(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nratelimit-limit: 1000000\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
}

function bodyFor(mails: number): string {
  const ids = Array.from(
    { length: mails },
    (_, n) => `3f0c1a52-0000-4000-8000-${String(n).padStart(12, '0')}`,
  )
  return JSON.stringify({ data: ids.map((id) => ({ id })) })
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
process.on('message', () => process.send?.({ calls }))
process.on('disconnect', () => process.exit())
