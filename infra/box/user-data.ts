/** What cloud-init does at the first start of a box: the same for every release, since it is done once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { environmentLine } from "./quote.ts";

export interface UserDataArgs {
  /** `vol-…` of the state's disk. */
  readonly volumeId: string;
  /** The name under which EC2 attaches it: `/dev/sdf`. */
  readonly device: string;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html */
const MOST_BYTES = 16 * 1024;

/** @throws RangeError for what is no volume or device */
export function renderUserData({ volumeId, device }: UserDataArgs): string {
  if (!/^vol-[0-9a-f]+$/.test(volumeId)) throw new RangeError(`${volumeId} is no id of a volume.`);
  const letter = /^\/dev\/sd([f-p])$/.exec(device)?.[1];
  if (letter === undefined) throw new RangeError(`${device} is no device name that EC2 recommends for data.`);
  const text = `#cloud-config\n${stringify(
    {
      // Amazon's clock in the box's own network: no way out to other time servers is open, and a signature needs the time.
      ntp: { enabled: true, servers: ["169.254.169.123"] },
      write_files: [
        { path: "/usr/local/sbin/novadrive-prepare", permissions: "0755", content: ownFile("prepare.sh") },
        { path: "/etc/systemd/system/novadrive-prepare.service", content: ownFile("novadrive-prepare.service") },
        {
          path: "/etc/novadrive/volume.env",
          content: `${environmentLine("VOLUME_ID", volumeId)}\n${environmentLine("XEN_DEVICE", `/dev/xvd${letter}`)}\n`,
        },
        {
          path: "/etc/sysctl.d/60-novadrive.conf",
          content:
            "# The page may listen on 443 without a right of its own.\nnet.ipv4.ip_unprivileged_port_start = 80\n",
        },
        {
          path: "/etc/systemd/journald.conf.d/novadrive.conf",
          content: "[Journal]\nStorage=persistent\nSystemMaxUse=500M\n",
        },
      ],
      runcmd: [
        ["sysctl", "--quiet", "--load=/etc/sysctl.d/60-novadrive.conf"],
        ["systemctl", "restart", "systemd-journald.service"],
        ["systemctl", "daemon-reload"],
        // It waits for its disk, and cloud-init need not.
        ["systemctl", "enable", "--now", "--no-block", "novadrive-prepare.service"],
      ],
    },
    { lineWidth: 0 },
  )}`;
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_BYTES) throw new RangeError(`The user data has ${bytes} bytes; EC2 takes ${MOST_BYTES}.`);
  return text;
}

const ownFile = (name: string): string => readFileSync(join(import.meta.dirname, name), "utf8");
