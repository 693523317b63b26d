import type { Hono } from 'hono'
import { parseHTML } from 'linkedom'

export type Page = Awaited<ReturnType<typeof pageOf>>

/** A page as the application answers it, to be asked questions. */
export async function pageOf(app: Hono, path: string, init?: RequestInit) {
  const answer = await app.request(path, init)
  const html = await answer.text()
  const { document } = parseHTML(html)
  return { answer, html, document, status: answer.status }
}

/** Text as a person reads it, without the white space of its source. */
export function words(text: string | null | undefined): string {
  return (text ?? '').replace(/\s+/g, ' ').trim()
}

/** A form sent as a browser does. */
export function sent(fields: Record<string, string> | readonly (readonly [string, string])[]): RequestInit {
  const pairs = Array.isArray(fields) ? fields.map(([name, value]) => [name, value]) : Object.entries(fields)
  return { method: 'POST', body: new URLSearchParams(pairs) }
}
