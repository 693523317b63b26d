import { wording } from '../../subscriber/wording.ts'

/** HTML to copy onto another site: a plain form, and a frame with our own page in it. */
export function snippets(publicUrl: string): { readonly plain: string; readonly frame: string } {
  return {
    plain: `<form action="${publicUrl}/subscribe" method="post">
  <label for="weekly-verdict">Your address</label>
  <input id="weekly-verdict" name="address" type="email" autocomplete="email" maxlength="254" required>
  <p hidden><label>Leave this field empty <input name="website" tabindex="-1" autocomplete="off"></label></p>
  <input type="hidden" name="via" value="embed">
  <input type="hidden" name="wording" value="${wording.version}">
  <p>${wording.text}</p>
  <button>Send me the confirmation</button>
</form>`,
    frame: `<iframe src="${publicUrl}/embed" title="Sign up for Weekly AI Tool Verdicts"
  width="100%" height="400" style="border:0" loading="lazy"></iframe>`,
  }
}
