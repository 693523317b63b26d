import { createServer } from 'node:http'
import { Pool } from 'pg'
import { openTestDatabase } from '../setup/database.ts'
import { median, printLoad, serveOurs, startServer } from './servers.ts'
import { formPost, type Load, load, percentile } from './socket-load.ts'

const role = process.env.BENCH_ROLE
if (role === 'ours') await serveOurs()
else if (role === 'bare') serveBare()
else await compare()

async function compare(): Promise<void> {
  const [connections = 64, seconds = 1, rounds = 15] = process.argv.slice(2).map(Number)
  const database = await openTestDatabase()
  if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
  const servers = {
    ours: await startServer(import.meta.url, 'ours', database.url),
    bare: await startServer(import.meta.url, 'bare', database.url),
  }
  const request = (n: number) =>
    formPost('/subscribe', `address=reader-${n}%40example.test&page=%2Fsubscribe&website=`)
  const run = async (name: 'ours' | 'bare') => {
    await database.connection.db.deleteFrom('sign_up').execute()
    return load(servers[name].port, { connections, seconds }, request)
  }

  const pairs: { ours: Load; bare: Load }[] = []
  for (let round = -2; round < rounds; round++) {
    const pair =
      round % 2 === 0
        ? { bare: await run('bare'), ours: await run('ours') }
        : { ours: await run('ours'), bare: await run('bare') }
    if (round >= 0) pairs.push(pair)
  }

  console.log(`${connections} connections, ${rounds} rounds of ${seconds} s each, in turn; medians`)
  printLoad(
    'ours',
    pairs.map((pair) => pair.ours),
  )
  printLoad(
    'bare node:http, one INSERT',
    pairs.map((pair) => pair.bare),
  )
  const throughput = median(pairs.map(({ ours, bare }) => ours.perSecond / bare.perSecond))
  const p99 = median(
    pairs.map(({ ours, bare }) => percentile(ours.latencies, 0.99) / percentile(bare.latencies, 0.99)),
  )
  console.log(`median ratio within a round: throughput ×${throughput.toFixed(2)}, p99 ×${p99.toFixed(2)}`)
  for (const { stop } of Object.values(servers)) await stop()
  await database.close()
}

function serveBare(): void {
  const pool = new Pool({ connectionString: process.env.BENCH_URL, max: 10 })
  const page = 'x'.repeat(2_300)
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString())
      await pool.query(
        `insert into sign_up (address, at, network, form_url, wording, method) values ($1, $2, $3, $4, $5, 'form')`,
        [form.get('address'), new Date(), '127.0.0.0/24', 'http://127.0.0.1:3000/subscribe', '2026-11'],
      )
      response
        .writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8', 'Content-Length': page.length })
        .end(page)
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' ? address?.port : 0)
  })
  process.once('message', () => process.exit(0))
}
