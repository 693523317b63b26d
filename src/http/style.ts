import { Hono } from 'hono'
import { loadStyle } from '../template.ts'

/** `GET /style.css` and `/desk.css`. Kept for a year under the version that pages link to; asked for bare, or by an old version, they are checked again each time. */
export function styleRoute(): Hono {
  const routes = new Hono()
  for (const name of ['style', 'desk'] as const) {
    const { css, version } = loadStyle(name)
    const etag = `"${version}"`
    routes.get(`/${name}.css`, (c) => {
      c.header('ETag', etag)
      c.header(
        'Cache-Control',
        c.req.query('v') === version ? 'public, max-age=31536000, immutable' : 'no-cache',
      )
      if (c.req.header('If-None-Match') === etag) return c.body(null, 304)
      return c.body(css, 200, { 'Content-Type': 'text/css; charset=utf-8' })
    })
  }
  return routes
}
