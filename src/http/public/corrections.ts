import Handlebars from 'handlebars'
import type { Corrected } from '../../issue/corrected-since.ts'
import { changeSentence } from '../../verdict/changes.ts'

/** The edition with a note above it of what was corrected since; the edition itself stays as it was sent. */
export function withCorrections(html: string, corrected: readonly Corrected[], publicUrl: string): string {
  const note = correctionsNote(corrected, publicUrl)
  if (note === '') return html
  return html.replace(/<body\b[^>]*>/i, (body) => `${body}<div role="note" style="${look}">${note}</div>`)
}

/** The note as plain HTML; '' where nothing was corrected. Links are absolute. */
export function correctionsNote(corrected: readonly Corrected[], publicUrl: string): string {
  if (corrected.length === 0) return ''
  const each = corrected.map(({ slug, title, changes }) => {
    const link = `<a href="${publicUrl}/compare/${encodeURIComponent(slug)}"><bdi>${escaped(title)}</bdi></a>`
    return `<p>${link}. ${changes.map(({ change, on }) => escaped(changeSentence(change, dayOf(on)))).join(' ')}</p>`
  })
  return `<p><strong>Corrected since this issue was sent:</strong> the issue itself is shown as it was.</p>${each.join('')}`
}

function dayOf(day: Temporal.PlainDate): string {
  return day.toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
}

function escaped(text: string): string {
  return Handlebars.escapeExpression(text)
}

const look =
  'box-sizing:border-box;width:calc(100% - 40px);max-width:600px;margin:24px auto 0;border-left:4px solid;padding-left:16px;font:16px/1.5 system-ui,sans-serif;color:CanvasText'
