import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

/*
 * A provider that allows so many calls a second, and takes its time: counts what it allowed and what it had to refuse.
 *
 *     node test/bench/limited.ts CALLS_PER_SECOND LATENCY_MS fixed|sliding BYTES_PER_MAIL
 */
const [perSecond = 5, latency = 150] = process.argv.slice(2, 4).map(Number)
const isSliding = process.argv[4] === 'sliding'
const bytesPerMail = Number(process.argv[5])
const allowed: number[] = []
let refused = 0

function mayCall(now: number): boolean {
  const since = isSliding ? now - 1000 : Math.floor(now / 1000) * 1000
  return allowed.filter((at) => at > since).length < perSecond
}

const server = createServer(async (request, response) => {
  const now = performance.now()
  const isAllowed = mayCall(now)
  if (isAllowed) allowed.push(now)
  else refused += 1
  let bytes = 0
  for await (const chunk of request) bytes += chunk.length
  await wait(latency)
  const headers = {
    'content-type': 'application/json',
    'ratelimit-policy': `${perSecond};w=1`,
    'ratelimit-limit': String(perSecond),
    ...(!isAllowed && { 'retry-after': '1' }),
  }
  const ids = Array.from({ length: Math.max(1, Math.round(bytes / bytesPerMail)) }, (_, n) => ({
    id: `3f0c1a52-0000-4000-8000-${String(n).padStart(12, '0')}`,
  }))
  response.writeHead(isAllowed ? 200 : 429, headers)
  response.end(JSON.stringify(isAllowed ? { data: ids } : { statusCode: 429, name: 'rate_limit_exceeded' }))
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
process.on('message', () => process.send?.({ allowed, refused }))
process.on('disconnect', () => process.exit())
