import type { Context } from 'hono'

/** What a form or a JSON body has, for zod to parse; files and everything that is no object are left out. */
export async function readFields(c: Context): Promise<Record<string, unknown>> {
  if (/^application\/json\b/i.test(c.req.header('content-type') ?? '')) return objectOf(await readJson(c))
  const body = await c.req.parseBody()
  return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'))
}

function readJson(c: Context): Promise<unknown> {
  return c.req.json().catch(() => undefined)
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
