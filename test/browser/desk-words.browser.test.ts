import { serve } from '@hono/node-server'
import { type Kysely, sql } from 'kysely'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../db/schema.ts'
import { openChromium } from '../setup/browser.ts'
import { openTestDatabase } from '../setup/database.ts'
import { deskRoutesOf, isDoor, pathWith, valuesIn } from '../setup/desk-routes.ts'
import { type DeskWorld, deskWorld } from '../setup/desk-world.ts'
import { freePort } from '../setup/free-port.ts'

/** Ends an attribute, a text area, a script, a comment and a style, and then tries to run and to ask for something. */
const hostile = `'"></textarea></script></style></title>--><img src=//evil.example/x onerror="pwned=1"><svg onload="pwned=2"><script>pwned=3</script>{{constructor.constructor('pwned=4')()}}<a href="javascript:pwned=5" autofocus onfocus="pwned=6">a</a>`

let browser: Browser
let opened: Awaited<ReturnType<typeof openTestDatabase>>
let world: DeskWorld
let server: ReturnType<typeof serve>
let site: string

beforeAll(async () => {
  opened = await openTestDatabase()
  const port = await freePort()
  site = `http://localhost:${port}`
  world = await deskWorld({ connection: opened.connection, db: opened.connection.db }, { PUBLIC_URL: site })
  await poison()
  server = serve({ fetch: world.desk.app.fetch, port, hostname: 'localhost' })
  browser = await openChromium()
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await new Promise((closed) => (server ? server.close(closed) : closed(undefined)))
  await opened?.close()
})

/** Puts the hostile words into whatever the desk shows, past every check that would keep them out. */
function poison(): Promise<void> {
  return opened.connection.db.connection().execute(poisonThrough)
}

async function poisonThrough(db: Kysely<Database>): Promise<void> {
  const everyText = {
    comparison: ['title'],
    comparison_tool: ['name', 'category', 'tagline', 'description', 'price_note'],
    review: ['quote'],
    departure: ['words'],
    issue: ['reason', 'approved_by'],
    batch: ['reason'],
    delivery: ['reason'],
    attempt: ['reason', 'worker'],
    letter: ['reason'],
  }
  await sql`alter table subscriber drop constraint subscriber_address_check`.execute(db)
  await sql`set session_replication_role = replica`.execute(db)
  for (const [table, columns] of Object.entries(everyText))
    for (const column of columns)
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${hostile} where ${sql.ref(column)} is not null`.execute(
        db,
      )
  await sql`update subscriber set address = id || ${hostile} || '@example.test' where address is not null`.execute(
    db,
  )
  await sql`update consent_event set detail = ${hostile}, wording = ${hostile}, form_url = ${hostile}`.execute(
    db,
  )
  await sql`update issue_edits set by = ${hostile}, edits = jsonb_set(edits, '{intro}', to_jsonb(${hostile}::text))`.execute(
    db,
  )
  await sql`
    update comparison_revision
       set document = jsonb_set(jsonb_set(document, '{title}', to_jsonb(${hostile}::text)), '{tools,0,tagline}', to_jsonb(${hostile}::text))`.execute(
    db,
  )
  await sql`
    insert into decision (at, by, what, evidence)
    values ('2026-11-26T14:00:00Z', ${hostile}, 'hold', jsonb_build_object(${hostile}::text, ${hostile}::text))`.execute(
    db,
  )
  await sql`set session_replication_role = origin`.execute(db)
}

async function signIn(page: Page): Promise<void> {
  const { accepted } = world.desk.mail
  const before = accepted.length
  await page.goto(`${site}/desk`)
  await page.getByLabel('Your address').fill('eve@example.test')
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByLabel('The six digits').waitFor()
  await expect.poll(() => accepted.length).toBeGreaterThan(before)
  await page.getByLabel('The six digits').fill(/\b\d{6}\b/.exec(accepted.at(-1)?.text ?? '')?.[0] ?? '')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(`${site}/desk`)
}

/** Every page that the desk has, of the draft and of the issue that went out; files and streams are no pages. */
function everyPage(): readonly string[] {
  const routes = deskRoutesOf(world.desk.app).filter(
    (route) =>
      route.method === 'GET' &&
      !isDoor(route) &&
      !/\.(?:csv|json)$|\/(?:progress|revision|export|:file)\b|:file/.test(route.path),
  )
  const paths = [world.drafted, world.sent].flatMap((week) =>
    routes.map((route) => pathWith(route, valuesIn(world, week))),
  )
  return [...new Set(paths)]
}

describe('words that want to be more than words', () => {
  it('are words on every page of the desk: nothing runs, and nobody else is asked', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const harm: string[] = []
    page.on('dialog', (dialog) => {
      harm.push(`dialog ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (/evil\.example/.test(request.url())) harm.push(`${request.url()} from ${page.url()}`)
    })
    await signIn(page)
    let seen = 0

    for (const path of everyPage()) {
      const answer = await page.goto(site + path, { waitUntil: 'load' })
      if (answer?.status() === 500) harm.push(`${path} broke`)
      if ((await page.content()).includes('evil.example')) seen += 1
      const pwned = await page.evaluate('typeof pwned === "undefined" ? "" : String(pwned)')
      if (pwned !== '') harm.push(`${path} ran ${pwned}`)
      const made = await page.locator('img[src*="evil"], svg[onload], a[href^="javascript:"]').count()
      if (made > 0) harm.push(`${path} made markup of it`)
    }

    expect(harm).toEqual([])
    expect(seen).toBeGreaterThan(15)
    await context.close()
  }, 240_000)
})
