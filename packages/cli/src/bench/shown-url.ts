// URLs as they may be shown: results are passed on, and a password is nobody else's.

/** Without user name and password. What is no URL of a host loses what may be meant for them. */
export function shownUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.host === "") return text.replace(/^([a-z]+:\/\/)?[^/?#]*@/i, "$1");
  if (url.username === "" && url.password === "") return text;
  url.username = url.password = "";
  return url.href;
}
