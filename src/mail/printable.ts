/** Text without the characters that holes and hashes are made with, or that no mail may carry. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '').toWellFormed()
}
