import type { Context } from 'hono'
import type { Pages } from '../../template.ts'
import { scriptUrl } from '../scripts.ts'
import type { DeskEnv } from './desk.ts'
import { takeFlash } from './flash.ts'
import { type Section, sections } from './nav.ts'

type Deps = { readonly pages: Pages; readonly hasOutbox: boolean }

type Shown = {
  /** None for what belongs to no section. */
  readonly section: Section | undefined
  readonly title: string
  readonly data: Readonly<Record<string, unknown>>
  readonly status?: 200 | 404 | 409 | 422
  /** Files of `src/http/scripts.ts` that the page runs, our own (desk-*.js) as modules, or is styled by (.css). */
  readonly scripts?: readonly string[]
}

/** Answers with a page of the desk: `templates/pages/<name>.hbs` in the shell, with what was last said. */
export async function deskPage(
  c: Context<DeskEnv>,
  { pages, hasOutbox }: Deps,
  name: string,
  { section, title, data, status = 200, scripts = [] }: Shown,
): Promise<Response> {
  const { editor, token } = c.get('session')
  const flash = await takeFlash(c)
  const shell = {
    ...{ editor, token, title, hasOutbox },
    flash: flash && { text: flash.text, isProblem: flash.kind === 'problem' },
    scripts: scripts
      .filter((name) => name.endsWith('.js'))
      .map((name) => ({ url: scriptUrl(name), isModule: name.startsWith('desk-') })),
    styles: scripts.filter((name) => name.endsWith('.css')).map(scriptUrl),
    sections: sections.map((one) => ({ ...one, isCurrent: one.name === section })),
  }
  return c.html(pages(name, { ...data, desk: shell }), status)
}

/** The desk's own "there is no such page", for whoever is signed in. */
export function deskNotFound(c: Context<DeskEnv>, deps: Deps, what: string): Promise<Response> {
  return deskPage(c, deps, 'desk-message', {
    ...{ section: undefined, title: 'There is no such page', status: 404 },
    data: { lede: what, link: { url: '/desk', label: 'Go to this week' } },
  })
}
