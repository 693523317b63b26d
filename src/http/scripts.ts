import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Hono } from 'hono'
import { versionOf } from '../template.ts'

const folder = new URL('../../templates/scripts/', import.meta.url)
const require = createRequire(import.meta.url)

/** Kept libraries that pages of ours run, from our own origin and as their packages bring them. */
const libraries: Readonly<Record<string, string>> = {
  'sortable.js': 'sortablejs/Sortable.min.js',
  'uplot.js': 'uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
}

/** What a page loads from here: our own scripts (`templates/scripts`) and the libraries, by file name. */
const files = new Map(
  [
    ...readdirSync(folder)
      .filter((name) => name.endsWith('.js'))
      .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const),
    ...Object.entries(libraries).map(
      ([name, path]) => [name, readFileSync(require.resolve(path), 'utf8')] as const,
    ),
  ].map(([name, text]) => [name, { text, version: versionOf(text) }]),
)

/** Where a page finds a script or a library's stylesheet. Throws when there is none of that name. */
export function scriptUrl(name: string): string {
  const file = files.get(name)
  if (!file) throw new Error(`There is no script ${name}`)
  return `/scripts/${name}?v=${file.version}`
}

/** `GET /scripts/NAME`, kept for a year under the version that pages link to. */
export function scriptRoutes(): Hono {
  return new Hono().get('/scripts/:name', (c) => {
    const name = c.req.param('name')
    const file = files.get(name)
    if (!file) return c.notFound()
    const etag = `"${file.version}"`
    c.header('ETag', etag)
    c.header(
      'Cache-Control',
      c.req.query('v') === file.version ? 'public, max-age=31536000, immutable' : 'no-cache',
    )
    if (c.req.header('If-None-Match') === etag) return c.body(null, 304)
    const type = name.endsWith('.css') ? 'text/css' : 'text/javascript'
    return c.body(file.text, 200, { 'Content-Type': `${type}; charset=utf-8` })
  })
}
