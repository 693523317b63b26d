import type { Context } from 'hono'
import type { DeskDeps, DeskEnv } from './desk.ts'
import type { Section } from './nav.ts'
import { deskPage } from './page.ts'

/** A question before what cannot be taken back: what comes of it, and the form that says yes. */
export type Asked = {
  readonly section: Section
  readonly title: string
  readonly week: string
  /** A paragraph each; the first is the largest. */
  readonly words: readonly string[]
  /** What speaks against it; empty when nothing does. */
  readonly warning?: string
  readonly label: string
  readonly path: string
  readonly fields: Readonly<Record<string, string>>
  /** Where "Leave it as it is" goes. */
  readonly back: string
}

/** The page that asks. */
export function askTwice(c: Context<DeskEnv>, deps: DeskDeps, asked: Asked): Promise<Response> {
  const { section, title, words, fields, warning = '', ...rest } = asked
  const [lede = '', ...more] = words
  return deskPage(c, deps, 'desk-ask', {
    ...{ section, title },
    data: {
      ...{ ...rest, lede, more, warning },
      fields: Object.entries(fields).map(([name, value]) => ({ name, value })),
    },
  })
}
