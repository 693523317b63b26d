import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import Handlebars from 'handlebars'

/** Sets a page of `templates/pages` by its name without `.hbs`. Throws on a name, or a field of the template, that is not there. */
export type Pages = (name: string, data: Readonly<Record<string, unknown>>) => string

const pagesFolder = new URL('../templates/pages/', import.meta.url)
const partialsFolder = new URL('../templates/partials/', import.meta.url)

let loaded: Pages | undefined

/**
 * Reads and parses every page and partial, once per process, so a fault in one shows at start-up. Everything is escaped;
 * markup in data stays text (S5). Besides its data a page sees `@style` and `@deskStyle`, the addresses of the stylesheets.
 */
export function loadPages(): Pages {
  loaded ??= readPages()
  return loaded
}

function readPages(): Pages {
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

/**
 * The stylesheet of every page, or what the desk adds to it (`desk.css`, then each `desk-*.css`); and a word that changes
 * whenever it does.
 */
export function loadStyle(name: 'style' | 'desk'): { css: string; version: string } {
  const files = readdirSync(pagesFolder).filter(
    (file) => file.endsWith('.css') && /^[a-z]+/.exec(file)?.[0] === name,
  )
  const css = files
    .toSorted((a, b) => a.length - b.length || a.localeCompare(b, 'en'))
    .map((file) => readFileSync(new URL(file, pagesFolder), 'utf8'))
    .join('\n')
  return { css, version: versionOf(css) }
}

/** A word that changes whenever the text does, for addresses that are kept for a year. */
export function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12)
}

function readTemplates(folder: URL): [name: string, source: string][] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.hbs') && !file.includes('.mjml.') && !file.includes('.txt.'))
    .map((file) => [file.slice(0, -'.hbs'.length), readFileSync(new URL(file, folder), 'utf8')])
}
