import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import Handlebars from 'handlebars'

/** Sets a page of `templates/pages` by its name without `.hbs`. Throws on a name, or a field of the template, that is not there. */
export type Pages = (name: string, data: Readonly<Record<string, unknown>>) => string

const pagesFolder = new URL('../templates/pages/', import.meta.url)
const partialsFolder = new URL('../templates/partials/', import.meta.url)

/**
 * Reads and parses every page and partial once, so a fault in one shows at start-up. Everything is escaped; markup in data
 * stays text (S5). Besides its data a page sees `@style` and `@deskStyle`, the addresses of the stylesheets.
 */
export function loadPages(): Pages {
  const handlebars = Handlebars.create()
  const compile = (source: string) =>
    handlebars.compile(handlebars.parse(source), { strict: true, preventIndent: true })
  for (const [name, source] of readTemplates(partialsFolder))
    handlebars.registerPartial(name, compile(source))
  const pages = new Map(readTemplates(pagesFolder).map(([name, source]) => [name, compile(source)]))
  const style = `/style.css?v=${loadStyle('style').version}`
  const deskStyle = `/desk.css?v=${loadStyle('desk').version}`

  return (name, data) => {
    const page = pages.get(name)
    if (!page) throw new Error(`There is no templates/pages/${name}.hbs.`)
    return page(data, { data: { style, deskStyle } })
  }
}

/** The stylesheet of every page, or what the desk adds to it; and a word that changes whenever it does. */
export function loadStyle(name: 'style' | 'desk'): { css: string; version: string } {
  const css = readFileSync(new URL(`${name}.css`, pagesFolder), 'utf8')
  return { css, version: createHash('sha256').update(css).digest('base64url').slice(0, 12) }
}

function readTemplates(folder: URL): [name: string, source: string][] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.hbs') && !file.includes('.mjml.') && !file.includes('.txt.'))
    .map((file) => [file.slice(0, -'.hbs'.length), readFileSync(new URL(file, folder), 'utf8')])
}
