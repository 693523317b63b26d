import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { listOutbox, type OutboxEntry, type OutboxMail, readOutboxMail } from '../mail/read-outbox.ts'
import { loadPages, type Pages } from '../template.ts'

type Deps = { readonly folder: string; readonly pages?: Pages }

const PAGE = 50
const query = z.object({
  from: z.coerce.number().int().min(0).catch(0),
  view: z.enum(['mail', 'phone', 'text', 'headers', 'source']).catch('mail'),
})

const tabs = [
  { view: 'mail', label: 'Mail' },
  { view: 'phone', label: 'On a phone' },
  { view: 'text', label: 'Plain text' },
  { view: 'headers', label: 'Headers' },
  { view: 'source', label: 'Source' },
]

/** Our pages: nothing but our stylesheet, and the mail in its frame. */
const pagePolicy =
  "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"

/** A mail: no script, no request, no form; its links open in a tab of their own, which is free of the sandbox (S17). */
const mailPolicy =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'; " +
  'sandbox allow-popups allow-popups-to-escape-sandbox'

/** The mails that were put into files instead of being sent; embedded and development use only. */
export function outboxRoutes({ folder, pages = loadPages() }: Deps): Hono {
  return new Hono()
    .get('/outbox', async (c) => {
      const { from } = query.parse(c.req.query())
      const { total, entries } = await listOutbox(folder, { from, count: PAGE })
      return page(
        c,
        pages('outbox', { total, entries: entries.map(row), pager: pager(from, entries.length, total) }),
      )
    })
    .get('/outbox/:id', async (c) => {
      const mail = await readOutboxMail(folder, c.req.param('id'))
      return mail
        ? page(c, pages('outbox-mail', facing(mail, query.parse(c.req.query()).view)))
        : c.notFound()
    })
    .get('/outbox/:id/html', async (c) => {
      const mail = await readOutboxMail(folder, c.req.param('id'))
      return mail ? guarded(c, mailPolicy).html(inNewTabs(mail.html)) : c.notFound()
    })
    .get('/outbox/:id/source', async (c) => {
      const mail = await readOutboxMail(folder, c.req.param('id'))
      if (!mail) return c.notFound()
      return guarded(c, pagePolicy).body(new Uint8Array(mail.source), 200, {
        'Content-Type': 'message/rfc822',
        'Content-Disposition': `attachment; filename="${mail.id}.eml"`,
      })
    })
}

function page(c: Context, html: string): Response | Promise<Response> {
  return guarded(c, pagePolicy).html(html)
}

/** A mail holds its reader's own links, so no cache keeps it and no other site is told where a click came from (S11). */
function guarded(c: Context, policy: string): Context {
  c.header('Content-Security-Policy', policy)
  c.header('Cache-Control', 'no-store')
  c.header('Referrer-Policy', 'no-referrer')
  c.header('X-Frame-Options', 'SAMEORIGIN')
  c.header('X-Content-Type-Options', 'nosniff')
  return c
}

function row(entry: OutboxEntry): Record<string, unknown> {
  if (entry.kind === 'unreadable') return { readable: false, id: entry.id, reason: entry.reason }
  const { id, subject, to, size } = entry
  return {
    readable: true,
    id,
    subject: subject || 'No subject',
    to,
    size: kilobytes(size),
    date: moment(entry.date),
  }
}

function pager(from: number, shown: number, total: number): Record<string, unknown> {
  return {
    first: shown === 0 ? 0 : from + 1,
    last: from + shown,
    total,
    newer: from > 0 ? `/outbox?from=${Math.max(0, from - PAGE)}` : '',
    older: from + shown < total ? `/outbox?from=${from + PAGE}` : '',
  }
}

function facing(mail: OutboxMail, view: string): Record<string, unknown> {
  const { id, subject, from, to, headers, text } = mail
  return {
    id,
    subject: subject || 'No subject',
    from,
    to,
    date: moment(mail.date),
    size: kilobytes(mail.source.byteLength),
    tabs: tabs.map((tab) => ({ ...tab, current: tab.view === view })),
    framed: view === 'mail' || view === 'phone',
    phone: view === 'phone',
    text: view === 'text' ? text : '',
    headers: view === 'headers' ? headers : [],
    source: view === 'source' ? mail.source.toString('utf8') : '',
  }
}

/** Links of the mail leave the frame; a mail that names a target of its own keeps it. */
export function inNewTabs(html: string): string {
  const base = '<base target="_blank">'
  return /<head[^>]*>/i.test(html) ? html.replace(/<head[^>]*>/i, (head) => head + base) : html + base
}

function moment(date: Temporal.Instant | undefined): { machine: string; person: string } {
  if (!date) return { machine: '', person: 'no date' }
  const shown = date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  return { machine: date.toString(), person: `${shown} UTC` }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toLocaleString('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 })} kB`
}
