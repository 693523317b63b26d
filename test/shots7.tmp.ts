import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { pino } from 'pino'
import { openEmbedded } from '../db/connect.ts'
import { migrate } from '../db/migrate.ts'
import { createApp } from '../src/http/app.ts'
import { readConfig } from '../src/config.ts'
import { startWeb } from '../src/web.ts'
import { sampleDocuments } from './setup/comparisons.ts'
import { publishComparison } from '../src/verdict/publish.ts'
import { people } from './setup/people.ts'
import { signToken } from '../src/subscriber/token.ts'
import { requestAddressChange } from '../src/subscriber/change-address.ts'
import { proofToken } from '../src/subscriber/letter.ts'
import { savePreferences } from '../src/subscriber/preferences.ts'

const c = await openEmbedded(); await migrate(c.db); const db = c.db
const clock = () => Temporal.Instant.from('2026-11-20T14:00:00Z')
for (const d of sampleDocuments().values()) await publishComparison({ db, clock }, d)
const key = { id: 'k1', secret: Buffer.alloc(32, 7) }
const config = readConfig({ PUBLIC_URL: 'http://localhost:3977' })
const app = createApp({ db, clock, keys: [key], keyId: 'k1', config, calendar: config.calendar, log: pino({ level: 'error' }), wire: { from: 'a@b.c', replyTo: undefined, publicUrl: config.publicUrl }, connection: c, outboxFolder: '/tmp/none', setting: { publicUrl: config.publicUrl, postalAddress: 'x' } } as never)
const web = await startWeb(app, { host: '127.0.0.1', port: 3977 })
const ann = await people.ann(db), bob = await people.bob(db), cleo = await people.cleo(db)
const pref = (p: { publicId: string }) => `/preferences/${signToken(key, 'preferences', p.publicId)}`
const uns = (p: { publicId: string }) => `/unsubscribe/${signToken(key, 'unsubscribe', p.publicId)}`
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8')
async function shoot(name: string, act: (page: any) => Promise<void>) {
  for (const [w, scheme] of [[390, 'light'], [390, 'dark'], [1280, 'light'], [1280, 'dark']] as const) {
    const ctx = await browser.newContext({ viewport: { width: w, height: 800 }, colorScheme: scheme, javaScriptEnabled: true, bypassCSP: true })
    const page = await ctx.newPage()
    await act(page)
    await page.screenshot({ path: `/tmp/shots7/${name}-${w}-${scheme}.png`, fullPage: true })
    const size = Buffer.byteLength(await page.content())
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    await page.evaluate(axe)
    const r = await page.evaluate(() => (window as any).axe.run())
    console.log(name, w, scheme, size, wide ? 'TOO WIDE' : '', r.violations.map((v: any) => v.id + ':' + v.nodes.map((n: any) => n.html.slice(0, 120)).join('|')).join(', ') || 'axe clean')
    await ctx.close()
  }
}
const at = 'http://localhost:3977'
await savePreferences({ db, clock }, cleo.publicId, { cadence: 'followed', categories: ['Developer Tools'], tools: ['smolvlm2', 'claude-4-sonnet'] })
await shoot('unsubscribe', (p) => p.goto(at + uns(ann)))
await shoot('left', async (p) => { await p.goto(at + uns(ann)); const b = await p.$('text=Leave the list >> nth=-1'); if (b && (await p.$('h1:has-text("Leave the list?")'))) await p.click('button') })
await shoot('why', async (p) => { await p.goto(at + uns(ann)); await p.check('text=Too much mail'); await p.click('text=Send to the editors') })
await shoot('preferences', (p) => p.goto(at + pref(cleo)))
await shoot('preferences-saved', async (p) => { await p.goto(at + pref(bob)); await p.click('text=Save what I get') })
await shoot('preferences-empty', async (p) => { await p.goto(at + pref(bob)); await p.check('text=Only what I follow'); await p.click('text=Save what I get') })
await shoot('address-wrong', async (p) => { await p.goto(at + pref(bob)); await p.fill('#new-address', 'bob@nowhere'); await p.click('text=Send the letter') })
await shoot('paused', async (p) => { await p.goto(at + pref(bob)); await p.check('text=3 months'); await p.click('text=Pause my subscription') })
await shoot('erase', (p) => p.goto(at + pref(bob) + '/erase'))
await requestAddressChange({ db, clock, keys: [key] }, bob.publicId, 'bob@new.example')
const letter = await db.selectFrom('letter').select('id').executeTakeFirstOrThrow()
await shoot('change', (p) => p.goto(at + '/address/' + proofToken(key, letter.id)))
await shoot('unknown', (p) => p.goto(at + '/preferences/forged'))
await shoot('left-long-ago', async (p) => { await p.goto(at + pref(ann)) })
await shoot('erased', async (p) => { if ((await p.goto(at + pref(bob) + '/erase')).status() === 200) { await p.check('input[name=sure]'); await p.click('button') } })
await browser.close(); await web.stop(); await c.close()
