import { connect } from 'node:net'
import { Hono } from 'hono'
import { startWeb } from '../../src/web.ts'

/*
 * A slow-connection attack on our own web server, on loopback: 200 clients that send a header line every two seconds and
 * never finish. Prints how long the last of them was kept, and the p99 of ordinary requests during the attack beside the
 * p99 without it, as a ratio. Ends by itself within half a minute.
 */
const attackers = 200
const requests = 1_000

const web = await startWeb(
  new Hono().get('/', (c) => c.text('ok')),
  { host: '127.0.0.1', port: 0 },
)
const url = `http://127.0.0.1:${web.port}/`

await p99()
const calm = await p99()
const attack = startAttack()
const besieged = await p99()
const lastClosed = await attack
await web.stop()

console.log(
  `slow clients          ${attackers}, the last closed after ${lastClosed.toFixed(1)} s (limit: 12 s)`,
)
console.log(`p99 without them      ${calm.toFixed(2)} ms`)
console.log(`p99 during the attack ${besieged.toFixed(2)} ms   ×${(besieged / calm).toFixed(2)}`)

/** Seconds until the last slow client was shown the door. */
async function startAttack(): Promise<number> {
  const started = performance.now()
  const sockets = Array.from({ length: attackers }, slowClient)
  await Promise.all(sockets)
  return (performance.now() - started) / 1000
}

function slowClient(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(web.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n'))
    const drip = setInterval(() => socket.write('X-Slow: 1\r\n'), 2_000)
    const give = setTimeout(() => socket.destroy(), 25_000)
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(drip)
      clearTimeout(give)
      resolve()
    })
    socket.resume()
  })
}

async function p99(): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < requests; n++) {
    const started = performance.now()
    await (await fetch(url)).text()
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)[Math.floor(requests * 0.99)] ?? 0
}
