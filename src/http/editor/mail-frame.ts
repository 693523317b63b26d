import { cutEdition, type Edition, fillEdition, type PersonalLinks } from '../../issue/edition.ts'
import { type LinkTarget, withDirectLinks } from '../../issue/links.ts'
import { inNewTabs } from '../outbox.ts'

/** How a mail program is set. */
export type Shade = 'light' | 'dark'

/** What stands in a frame for the links that are a reader's own. */
const personal: PersonalLinks = {
  unsubscribe: '/desk/preview-link/unsubscribe',
  preferences: '/desk/preview-link/preferences',
  webVersion: '/desk/preview-link/web',
  vote: '/desk/preview-link/vote',
}

/**
 * An edition for a frame of the desk, where nobody may leave the list for a reader, or be counted as one, by a click that
 * slipped: the reader's own links lead to a page that says what they are, counted links straight to their targets. Every
 * other byte is as it is sent, but for the shade, which cannot be chosen from outside a frame.
 */
export function mailFrame(
  edition: Edition,
  { publicUrl, links, shade }: { publicUrl: string; links: readonly LinkTarget[]; shade: Shade },
): string {
  const { html } = fillEdition(cutEdition(edition), personal)
  return framed(withDirectLinks(html, publicUrl, links), shade)
}

/** Html of ours for a frame: links open in a tab of their own, in a light or a dark mail program, whatever the editor's screen is. */
export function framed(html: string, shade: Shade): string {
  return inNewTabs(inShade(html, shade))
}

/** Only style sheets and the two metas are touched: text about tools may say the same words. */
function inShade(html: string, shade: Shade): string {
  const media = shade === 'dark' ? 'all' : 'not all'
  return html
    .replace(/<style\b[^>]*>[\s\S]*?<\/style>/g, (sheet) =>
      sheet
        .replace(/\(prefers-color-scheme:\s*dark\)/g, media)
        .replace(/(color-schemes?:\s*)light dark/g, `$1${shade}`),
    )
    .replace(/(<meta name="(?:supported-color-schemes|color-scheme)" content=")light dark"/g, `$1${shade}"`)
}
