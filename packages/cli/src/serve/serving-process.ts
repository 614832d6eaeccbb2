// One of the processes of `capstan serve --workers N`.
import { joinGroup } from "./group-member.ts";
import { serveHere } from "./serve-task.ts";

joinGroup(serveHere);
